// SPDX-License-Identifier: Apache-2.0

package ktable

import (
	"bytes"
	"encoding/binary"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	bpf2go "github.com/cilium/ebpf/cmd/bpf2go/gen"
	"github.com/cilium/ebpf/rlimit"
	"golang.org/x/sys/unix"

	"github.com/redsift/ingraind/runtime/agg"
)

// object is testdata/NAME.bpf.c compiled. INGRAIN_OBJECTS may name a folder
// where objects are kept: in a virtual machine is no compiler.
func object(t testing.TB, name, arch string) []byte {
	t.Helper()
	file := filepath.Join(t.TempDir(), "object.o")
	if kept := os.Getenv("INGRAIN_OBJECTS"); kept != "" {
		file = filepath.Join(kept, name+"-"+arch+".o")
	}
	if _, err := os.Stat(file); err != nil {
		compile(t, name, arch, file)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func compile(t testing.TB, name, arch, file string) {
	t.Helper()
	cc, err := exec.LookPath("clang-19")
	if err != nil {
		t.Fatal("no clang-19 in PATH: this test needs it (apt-get install clang-19 llvm-19)")
	}
	root, err := filepath.Abs(filepath.Join("..", "..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	target, _, err := bpf2go.FindTarget(arch)
	if err != nil {
		t.Fatal(err)
	}
	if file, err = filepath.Abs(file); err != nil {
		t.Fatal(err)
	}
	err = bpf2go.Compile(bpf2go.CompileArgs{
		CC: cc, Strip: "llvm-strip-19", Workdir: root, Target: target, Dest: file,
		Source: filepath.Join(root, "runtime", "internal", "ktable", "testdata", name+".bpf.c"),
		Flags:  []string{"-mcpu=v3", "-Wall", "-Werror", "-I" + filepath.Join(root, "bpf", "include")},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestProgramsCompileForEachArchitecture(t *testing.T) {
	for _, arch := range []string{"amd64", "arm64"} {
		if len(object(t, "table", arch)) == 0 {
			t.Errorf("%s: got an empty object", arch)
		}
	}
}

// Cells as in testdata/table.bpf.c.
var (
	allCells = []agg.Cell{
		{Kind: agg.Sum},
		{Kind: agg.Max},
		{Kind: agg.Min, Signed: true},
		{Kind: agg.Last},
		{Kind: agg.Exp2, Bits: 64},
		{Kind: agg.Exp2, Bits: 64, Signed: true},
		{Kind: agg.Linear, Start: 1000, Width: 300, N: 10},
		{Kind: agg.Linear, Start: -1000, Width: 300, N: 10, Signed: true},
		{Kind: agg.Buckets, Bounds: []int64{0, 10, 5000, -1 << 63}},
		{Kind: agg.Buckets, Bounds: []int64{-5000, -1, 10, 1 << 62}, Signed: true},
	}
	offsets, allWords = agg.Layout(allCells)
)

const (
	keys = 64 // of the arrays
	last = 3  // the cell's place
)

// count is what the programs' count does, for n events of value x at a time.
func count(words []uint64, x, n, now uint64) {
	words[0] += n
	for i := range allCells {
		c := &allCells[i]
		own := words[offsets[i]:]
		switch c.Kind {
		case agg.Sum:
			own[0] += n * x
		case agg.Max:
			agg.RaiseMax(&own[0], x, c.Signed)
		case agg.Min:
			agg.RaiseMin(&own[0], x, c.Signed)
		case agg.Last:
			agg.SetLast(&own[0], &own[1], now, x)
		case agg.Exp2:
			own[agg.Exp2Bucket(x, c.Signed)] += n
		case agg.Linear:
			own[agg.LinearBucket(x, uint64(c.Start), uint64(c.Width), c.N, c.Signed)] += n
		case agg.Buckets:
			own[agg.BoundsBucket(x, c.Bounds, c.Signed)] += n
		}
	}
}

func mergeAll(dst, src []uint64) { agg.Merge(allCells, dst, src) }

func mergeSums(dst, src []uint64) {
	for i, n := range src {
		dst[i] += n
	}
}

func mergePeaks(dst, src []uint64) { dst[0], dst[1] = dst[0]+src[0], max(dst[1], src[1]) }

func numberKey(dst []byte, n int) []byte { return binary.NativeEndian.AppendUint64(dst, uint64(n)) }

// possible is how many CPUs may exist.
func possible(t testing.TB) int {
	t.Helper()
	n, err := ebpf.PossibleCPU()
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// specs are those of the tables in testdata/table.bpf.c, with room for more
// keys than the object says where that is asked for.
func specs(t testing.TB, most int) []Spec {
	cpus := possible(t)
	return []Spec{
		{Name: "mixed", KeySize: 16, Max: 96, Words: allWords, CPUs: cpus, Merge: mergeAll},
		{Name: "small", Dense: keys, Words: allWords, CPUs: cpus, Merge: mergeAll, Key: numberKey},
		{Name: "all", Dense: 1, Words: allWords, CPUs: cpus, Merge: mergeAll, Key: func(dst []byte, n int) []byte { return dst }},
		{Name: "many", KeySize: 8, Max: most, Words: 2, CPUs: cpus, Merge: mergeSums},
		{Name: "peaks", KeySize: 8, Max: 1 << 16, Words: 2, CPUs: cpus, Merge: mergePeaks},
	}
}

// programs are those of testdata/table.bpf.c, loaded, and their tables.
type programs struct {
	*ebpf.Collection
	mixed, small, all, many, peaks *Table

	alone bool // only one program counts in the first three
}

// load makes tables and loads programs that count in them. Without atomics
// that return the old value they do as on a kernel that has none. Where only
// some programs are named the others are not loaded.
func load(t testing.TB, most int, atomics bool, only ...string) *programs {
	t.Helper()
	if err := rlimit.RemoveMemlock(); err != nil {
		t.Log(err)
	}
	spec, err := ebpf.LoadCollectionSpecFromReader(bytes.NewReader(object(t, "table", goruntime.GOARCH)))
	if err != nil {
		t.Fatal(err)
	}
	agent := make([]byte, 8)
	if atomics {
		agent[6] = 1
	} else {
		poison(spec)
	}
	set(t, spec, "ingrain_agent", agent)
	set(t, spec, "tgid", uint32(os.Getpid()))
	set(t, spec, "call", uint32(unix.SYS_GETPPID))
	delete(spec.Maps, "ingrain_rings") // older kernels have none
	maps.DeleteFunc(spec.Programs, func(name string, _ *ebpf.ProgramSpec) bool {
		return len(only) > 0 && !slices.Contains(only, name)
	})
	barrier, err := NewBarrier()
	if err != nil {
		t.Fatalf("this test needs root: %v", err)
	}
	t.Cleanup(func() { barrier.Close() })
	p := &programs{}
	stand := map[string]*ebpf.Map{}
	for i, into := range []**Table{&p.mixed, &p.small, &p.all, &p.many, &p.peaks} {
		s := specs(t, most)[i]
		s.Barrier = barrier
		table, err := New(s)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := table.Close(); err != nil {
				t.Error(err)
			}
		})
		*into = table
		fitted, err := table.Fit(spec)
		if err != nil {
			t.Fatal(err)
		}
		maps.Copy(stand, fitted)
	}
	if err := spec.Variables["ingrain_alone_mixed"].Get(&p.alone); err != nil {
		t.Fatal(err)
	}
	p.Collection, err = ebpf.NewCollectionWithOptions(spec, ebpf.CollectionOptions{MapReplacements: stand})
	if err != nil {
		var refused *ebpf.VerifierError
		if errors.As(err, &refused) {
			t.Fatalf("%+v", refused)
		}
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func set(t testing.TB, spec *ebpf.CollectionSpec, name string, value any) {
	t.Helper()
	if err := spec.Variables[name].Set(value); err != nil {
		t.Fatal(err)
	}
}

// poison replaces atomics that return the old value by what no verifier lets
// pass that finds a way to it, as package runtime does for older kernels.
func poison(spec *ebpf.CollectionSpec) {
	for _, prog := range spec.Programs {
		for i := range prog.Instructions {
			ins := &prog.Instructions[i]
			if op := ins.OpCode.AtomicOp(); op != asm.InvalidAtomic && op != asm.AddAtomic {
				bad := asm.StoreImm(asm.RFP, 8, 0, asm.Word)
				bad.Metadata = ins.Metadata
				*ins = bad
			}
		}
	}
}

// haveAtomics tries an exchange (since 5.12).
func haveAtomics() bool {
	exchange := asm.Xchg.Mem(asm.RFP, asm.R0, asm.Word, -8)
	exchange.Constant = 0xe1
	prog, err := ebpf.NewProgram(&ebpf.ProgramSpec{Type: ebpf.SocketFilter, License: "GPL", Instructions: asm.Instructions{
		asm.StoreImm(asm.RFP, -8, 0, asm.Word), asm.Mov.Imm(asm.R0, 0), exchange, asm.Mov.Imm(asm.R0, 0), asm.Return(),
	}})
	if err != nil {
		return false
	}
	return prog.Close() == nil
}

// packet is one of a test run, with an event behind what stands for headers.
func packet(key, value uint64) []byte {
	const ethernet, udp = 14, 8
	p := make([]byte, ethernet+udp, 64)
	p = binary.NativeEndian.AppendUint64(p, key)
	return binary.NativeEndian.AppendUint64(p, value)
}

// run runs a program n times, with the same event. A signal, such as the Go
// runtime's, would end the run, and nobody would know after how many events.
func run(t testing.TB, p *ebpf.Program, key, value uint64, n int) {
	goruntime.LockOSThread()
	defer goruntime.UnlockOSThread()
	set, before := &unix.Sigset_t{}, &unix.Sigset_t{}
	set.Val[0] = 1 << (unix.SIGURG - 1)
	if err := unix.PthreadSigmask(unix.SIG_BLOCK, set, before); err != nil {
		t.Errorf("block signals: %v", err)
	}
	if _, err := p.Run(&ebpf.RunOptions{Data: packet(key, value), Repeat: uint32(n)}); err != nil {
		t.Errorf("run a program: %v", err)
	}
	if err := unix.PthreadSigmask(unix.SIG_SETMASK, before, nil); err != nil {
		t.Errorf("unblock signals: %v", err)
	}
}

// told are the rows of a table, by key, added up. The overflow's key is "".
type told map[string][]uint64

const overflow = "overflow"

// add flushes a table.
func (all told) add(t testing.TB, table *Table) {
	t.Helper()
	if err := table.Flush(func(key []byte, cells []uint64, past bool) {
		name := string(key)
		if past {
			name = overflow
		}
		if all[name] == nil {
			all[name] = make([]uint64, len(cells))
		}
		table.spec.Merge(all[name], cells)
	}); err != nil {
		t.Fatal(err)
	}
}

func key(n uint64) string { return string(numberKey(nil, int(n))) }

func mixedKey(n uint64) string { return key(n) + key(^n) }

func mallocs() uint64 {
	var m goruntime.MemStats
	goruntime.ReadMemStats(&m)
	return m.Mallocs
}
