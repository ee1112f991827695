// SPDX-License-Identifier: Apache-2.0

package ring

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
	"testing"

	"github.com/cilium/ebpf"
	bpf2go "github.com/cilium/ebpf/cmd/bpf2go/gen"
)

// programs are those of testdata/stress.bpf.c, compiled and loaded, and sending
// into rings of their own.
type programs struct {
	InPlace *ebpf.Program `ebpf:"in_place"`
	Copied  *ebpf.Program `ebpf:"copied"`
	Fill    *ebpf.Program `ebpf:"fill"`
	Ledger  *ebpf.Map     `ebpf:"ingrain_ledger"`
	Flag    *ebpf.Map     `ebpf:".data.reader"`
	Perf    *ebpf.Map     `ebpf:"ingrain_perf"`
	rings   []*ebpf.Map
}

// order is struct order of testdata/stress.bpf.c.
type order struct{ Producer, Size, Before, Drop uint32 }

// load makes the programs send into so many rings of size bytes; none means the
// perf buffer.
func load(t testing.TB, rings, size int) *programs {
	t.Helper()
	spec, err := ebpf.LoadCollectionSpecFromReader(bytes.NewReader(compile(t)))
	if err != nil {
		t.Fatal(err)
	}
	agent := struct {
		Rings   uint32
		Grain   uint16
		Atomics uint8
		_       uint8
	}{Rings: uint32(rings), Grain: 1, Atomics: 1}
	if err := spec.Variables["ingrain_agent"].Set(agent); err != nil {
		t.Fatal(err)
	}
	outer := spec.Maps["ingrain_rings"]
	outer.MaxEntries = uint32(max(rings, 1))
	outer.InnerMap.MaxEntries = uint32(size)
	p := new(programs)
	for i := range rings {
		inner, err := ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.RingBuf, MaxEntries: uint32(size)})
		if err != nil {
			t.Fatalf("make a ring buffer (this test needs root): %v", err)
		}
		t.Cleanup(func() { inner.Close() })
		outer.Contents = append(outer.Contents, ebpf.MapKV{Key: uint32(i), Value: inner})
		p.rings = append(p.rings, inner)
	}
	if err := spec.LoadAndAssign(p, nil); err != nil {
		t.Fatalf("load (this test needs root): %+v", err)
	}
	t.Cleanup(func() {
		for _, c := range []interface{ Close() error }{p.InPlace, p.Copied, p.Fill, p.Ledger, p.Flag, p.Perf} {
			c.Close()
		}
	})
	return p
}

func compile(t testing.TB) []byte {
	t.Helper()
	cc, err := exec.LookPath("clang-19")
	if err != nil {
		t.Fatal("no clang-19 in PATH: this test needs it (apt-get install clang-19 llvm-19)")
	}
	root, err := filepath.Abs(filepath.Join("..", "..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	include := filepath.Join(root, "bpf", "include")
	target, _, err := bpf2go.FindTarget(goruntime.GOARCH)
	if err != nil {
		t.Fatal(err)
	}
	object := filepath.Join(t.TempDir(), "stress.o")
	err = bpf2go.Compile(bpf2go.CompileArgs{
		CC: cc, Strip: "llvm-strip-19", Workdir: root, Target: target, Dest: object,
		Source: filepath.Join(root, "runtime", "internal", "ring", "testdata", "stress.bpf.c"),
		Flags:  []string{"-mcpu=v3", "-Wall", "-Werror", "-I" + include},
	})
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(object)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// run runs a program n times with the same order.
func run(t testing.TB, p *ebpf.Program, o order, n int) {
	const ethernet = 14 // what a socket program does not see of a packet
	packet := make([]byte, 64)
	if _, err := binary.Encode(packet[ethernet:], binary.NativeEndian, o); err != nil {
		t.Error(err)
		return
	}
	if _, err := p.Run(&ebpf.RunOptions{Data: packet, Repeat: uint32(n)}); err != nil {
		t.Errorf("run a program: %v", err)
	}
}

// openReader reads all rings of p.
func (p *programs) openReader(t testing.TB, o Options) *Reader {
	t.Helper()
	var rings []*Ring
	for _, m := range p.rings {
		r, err := Open(m)
		if err != nil {
			t.Fatal(err)
		}
		rings = append(rings, r)
	}
	flag, err := OpenFlag(p.Flag)
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewReader(rings, flag, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

type counts struct{ Seen, Rejected, SampledOut, Limited, TableOnly, Emitted, Lost, Errors uint64 }

// counted is the programs' ledger, summed over CPUs.
func (p *programs) counted(t testing.TB) counts {
	t.Helper()
	var each []counts
	if err := p.Ledger.Lookup(uint32(0), &each); err != nil {
		t.Fatal(err)
	}
	var sum counts
	for _, c := range each {
		sum.Seen += c.Seen
		sum.Emitted += c.Emitted
		sum.Lost += c.Lost
		sum.Errors += c.Errors
	}
	return sum
}
