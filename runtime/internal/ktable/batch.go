// SPDX-License-Identifier: Apache-2.0

package ktable

import (
	goruntime "runtime"
	"unsafe"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// batch is keys and values on their way out of a hash, in memory that is used
// again and again.
type batch struct {
	keys    []byte
	values  []uint64 // of each key the cells of CPU 0, then those of CPU 1
	keySize int
	cells   int // words of a key, of all CPUs
	room    int // keys
	attr    batchAttr
	place   uint32 // where the last call has left, if one has
	begun   bool
	next    []byte // of single keys: the next one
}

// batchBytes is about how many bytes of cells are read in a call. More do not
// make it faster.
const batchBytes = 512 << 10

// leastRoom is how many keys are read in a call at least: the kernel reads a
// bucket of the hash as a whole, and few have more.
const leastRoom = 16

func newBatch(s *Spec) *batch {
	b := &batch{keySize: s.KeySize, cells: s.Words * s.CPUs}
	b.make(min(max(batchBytes/8/b.cells, leastRoom), s.Max))
	return b
}

func (b *batch) make(room int) {
	b.room, b.keys, b.values = room, make([]byte, room*b.keySize), make([]uint64, room*b.cells)
}

// grow makes room for more keys.
func (b *batch) grow() { b.make(2 * b.room) }

// rewind makes the next call begin at the map's first key.
func (b *batch) rewind() { b.begun = false }

// batchAttr is the part of union bpf_attr for calls on many keys
// (include/uapi/linux/bpf.h).
type batchAttr struct {
	in, out, keys, values uint64
	count, fd             uint32
	elemFlags, flags      uint64
}

// Commands of the bpf system call (include/uapi/linux/bpf.h).
const (
	lookupElem           = 1
	lookupAndDeleteBatch = 25
)

// take reads keys and their cells and deletes them, from where the last call
// has left. It returns ENOENT with the last of them, and ENOSPC without any
// when there is not room for those that have to be read together.
func (b *batch) take(fd int) (int, error) {
	b.attr = batchAttr{
		out: address(&b.place), keys: address(&b.keys[0]), values: address(&b.values[0]),
		count: uint32(b.room), fd: uint32(fd),
	}
	if b.begun {
		b.attr.in = b.attr.out
	}
	err := bpf(lookupAndDeleteBatch, unsafe.Pointer(&b.attr), unsafe.Sizeof(b.attr))
	goruntime.KeepAlive(b)
	if err != nil && err != unix.ENOENT {
		return 0, err
	}
	b.begun = true
	return int(b.attr.count), err
}

// elemAttr is the part of union bpf_attr for calls on one key.
type elemAttr struct {
	fd, _      uint32
	key, value uint64
	flags      uint64
}

// takeOne reads one key and its cells and deletes it. It returns
// ebpf.ErrKeyNotExist with the last of them, or when there is none.
func (b *batch) takeOne(m *ebpf.Map) (int, error) {
	key := b.keys[:b.keySize]
	if b.begun {
		copy(key, b.next)
	} else if err := m.NextKey(nil, key); err != nil {
		return 0, err
	}
	attr := &elemAttr{fd: uint32(m.FD()), key: address(&b.keys[0]), value: address(&b.values[0])}
	err := bpf(lookupElem, unsafe.Pointer(attr), unsafe.Sizeof(*attr))
	goruntime.KeepAlive(b)
	if err != nil {
		return 0, err
	}
	if b.next == nil {
		b.next = make([]byte, b.keySize)
	}
	end := m.NextKey(key, b.next)
	b.begun = true
	if err := m.Delete(key); err != nil {
		return 0, err
	}
	return 1, end
}

// address is where something is that does not move: a part of the heap.
func address[T any](p *T) uint64 { return uint64(uintptr(unsafe.Pointer(p))) }

func bpf(command uintptr, attr unsafe.Pointer, size uintptr) error {
	if _, _, errno := unix.Syscall(unix.SYS_BPF, command, uintptr(attr), size); errno != 0 {
		return errno
	}
	return nil
}
