// SPDX-License-Identifier: Apache-2.0

package ktable

import (
	"bytes"
	"maps"
	goruntime "runtime"
	"slices"
	"testing"
	"time"

	"github.com/cilium/ebpf"
)

const series = 10_000

// costs are the programs of testdata/cost.bpf.c, loaded, and two of their tables.
type costs struct {
	*ebpf.Collection
	hash, dense *Table
}

func loadCosts(b *testing.B) *costs {
	b.Helper()
	spec, err := ebpf.LoadCollectionSpecFromReader(bytes.NewReader(object(b, "cost", goruntime.GOARCH)))
	if err != nil {
		b.Fatal(err)
	}
	agent := make([]byte, 8)
	agent[6] = 1
	set(b, spec, "ingrain_agent", agent)
	for _, name := range []string{"nested_comms", "nested_rows"} {
		inner, err := ebpf.NewMap(spec.Maps[name].InnerMap)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { inner.Close() })
		spec.Maps[name].Contents = []ebpf.MapKV{{Key: uint32(0), Value: inner}}
	}
	for _, prog := range spec.Programs {
		for i := range prog.Instructions { // the kernel wants a line for each function's first one, and clang has some without
			prog.Instructions[i] = prog.Instructions[i].WithSource(nil)
		}
	}
	c := &costs{}
	stand := map[string]*ebpf.Map{}
	cpus := possible(b)
	for _, s := range []Spec{
		{Name: "by_comm", KeySize: 16, Max: 1024, Words: 1},
		{Name: "by_number", KeySize: 8, Max: 1024, Words: 1},
		{Name: "dense", Dense: 64, Words: 1},
		{Name: "cells", Dense: 64, Words: 80},
		{Name: "series", KeySize: 8, Max: series, Words: 1},
		{Name: "dense_series", Dense: series, Words: 1},
	} {
		s.CPUs, s.Merge, s.Key = cpus, mergeSums, numberKey
		table, err := New(s)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { table.Close() })
		switch s.Name {
		case "series":
			c.hash = table
		case "dense_series":
			c.dense = table
		}
		fitted, err := table.Fit(spec)
		if err != nil {
			b.Fatal(err)
		}
		maps.Copy(stand, fitted)
	}
	c.Collection, err = ebpf.NewCollectionWithOptions(spec, ebpf.CollectionOptions{MapReplacements: stand})
	if err != nil {
		b.Fatalf("%+v", err)
	}
	b.Cleanup(c.Close)
	return c
}

// side measures functions side by side, each once in each round, and returns
// of each the least, in nanoseconds a turn: what comes on top is of others.
func side(rounds, turns int, each map[string]func()) map[string]float64 {
	goruntime.LockOSThread()
	defer goruntime.UnlockOSThread()
	names := slices.Sorted(maps.Keys(each))
	least := map[string]float64{}
	for range rounds {
		for _, name := range names {
			begin := time.Now()
			each[name]()
			ns := float64(time.Since(begin)) / float64(turns)
			if was, ok := least[name]; !ok || ns < was {
				least[name] = ns
			}
		}
	}
	return least
}

// BenchmarkCount is what it costs to count an event inside a program, without
// what the loop costs; and the ratios that are promised.
func BenchmarkCount(b *testing.B) {
	const turns = 100_000 // TURNS of testdata/cost.bpf.c
	c := loadCosts(b)
	each := map[string]func(){}
	for name, program := range c.Programs {
		if name == "fill" {
			continue
		}
		each[name] = func() {
			if _, err := program.Run(&ebpf.RunOptions{}); err != nil {
				b.Fatal(err)
			}
		}
	}
	for b.Loop() {
		ns := side(201, turns, each)
		for _, name := range slices.Sorted(maps.Keys(ns)) {
			if name != "nothing" {
				b.Logf("%-20s %6.1f ns", name, ns[name]-ns["nothing"])
			}
		}
		ratio := func(name, a, of string) {
			b.ReportMetric((ns[a]-ns["nothing"])/(ns[of]-ns["nothing"]), name)
		}
		ratio("comm/naive", "comm_table", "comm_naive")
		ratio("dense/naive", "number_dense", "number_naive")
		ratio("dense/comm-naive", "number_dense", "comm_naive")
	}
	b.ReportMetric(0, "ns/op")
}

// BenchmarkRead is what it costs to read and clear a series of 10,000, beside
// what iterating over such a hash costs.
func BenchmarkRead(b *testing.B) {
	c := loadCosts(b)
	var sum uint64
	row := func(key []byte, cells []uint64, past bool) { sum += cells[0] }
	fill := func() {
		if _, err := c.Programs["fill"].Run(&ebpf.RunOptions{}); err != nil {
			b.Fatal(err)
		}
		for _, t := range []*Table{c.hash, c.dense} {
			t.shared.swap()
			if err := t.barrier.wait(t.barrier.now()); err != nil {
				b.Fatal(err)
			}
		}
	}
	read := func(t *Table) func() {
		return func() {
			left := 1 - t.shared.generation()
			if t.hash != nil {
				if err := t.hash.read(left, row); err != nil {
					b.Fatal(err)
				}
				t.shared.noKeys(left)
			}
			t.rows.read(left, row)
		}
	}
	naive := c.Maps["naive_series"]
	iterate := func() {
		var key uint64
		var cells []uint64
		all := naive.Iterate()
		for all.Next(&key, &cells) {
			for _, n := range cells {
				sum += n
			}
		}
		if err := all.Err(); err != nil {
			b.Fatal(err)
		}
	}
	least := map[string]float64{}
	for b.Loop() {
		fill()
		for name, ns := range side(1, series, map[string]func(){"hash": read(c.hash), "dense": read(c.dense), "iterate": iterate}) {
			if was, ok := least[name]; !ok || ns < was {
				least[name] = ns
			}
		}
	}
	for name, ns := range least {
		b.ReportMetric(ns, name+"-ns/key")
	}
	b.ReportMetric(least["iterate"]/least["hash"], "iterate/hash")
	b.ReportMetric(least["iterate"]/least["dense"], "iterate/dense")
	b.ReportMetric(0, "ns/op")
	if sum == 0 {
		b.Error("nothing was read")
	}
}
