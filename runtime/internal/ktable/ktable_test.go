// SPDX-License-Identifier: Apache-2.0

package ktable

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// edges are values around all that is a bound somewhere.
func edges() []uint64 {
	var all []uint64
	for _, middle := range []int64{0, -5000, -1000, -700, 10, 1000, 1300, 2000, 3700, 4000, 5000} {
		for d := range int64(5) {
			all = append(all, uint64(middle+d-2))
		}
	}
	for bit := range 64 {
		all = append(all, 1<<bit-1, 1<<bit, 1<<bit+1, -(1<<bit)-1, -(1 << bit), -(1<<bit)+1)
	}
	return all
}

// modes are the ways in which programs count: as kernels with atomics that
// return the old value do, if this one is among them, and as others.
func modes() map[string]bool {
	all := map[string]bool{"without atomics": false}
	if haveAtomics() {
		all["with atomics"] = true
	}
	return all
}

func TestCellsAreThoseOfTheAgent(t *testing.T) {
	for name, atomics := range modes() {
		t.Run(name, func(t *testing.T) {
			p := load(t, 1000, atomics)
			for some := range slices.Chunk(edges(), keys) {
				sum := make([]uint64, allWords)
				for i, x := range some {
					run(t, p.Programs["from_packet"], uint64(i), x, 1)
					count(sum, x, 1, 1)
				}
				mixed, small, all := told{}, told{}, told{}
				mixed.add(t, p.mixed)
				small.add(t, p.small)
				all.add(t, p.all)
				if len(mixed) != len(some) || len(small) != len(some) || len(all) != 1 {
					t.Fatalf("got %d, %d and %d rows, want %d, %[4]d and 1", len(mixed), len(small), len(all), len(some))
				}
				equal(t, "no key", all[""], sum)
				for i, x := range some {
					want := make([]uint64, allWords)
					count(want, x, 1, 1)
					for name, got := range map[string][]uint64{"hash": mixed[mixedKey(uint64(i))], "array": small[key(uint64(i))]} {
						equal(t, fmt.Sprintf("%s of %#x", name, x), got, want)
						if at := offsets[last]; got == nil || got[at] == 0 || got[at+1] != x {
							t.Errorf("%s of %#x: got the last value %#x", name, x, got[at+1])
						}
					}
				}
			}
		})
	}
}

// equal compares the words of a row but for those of the last value, which
// depends on time.
func equal(t testing.TB, what string, got, want []uint64) {
	t.Helper()
	if got == nil || want == nil {
		t.Errorf("%s: got %v, want %v", what, got, want)
		return
	}
	wrong := 0
	for i := range want {
		if at := offsets[last]; i == at || i == at+1 || got[i] == want[i] {
			continue
		}
		if wrong++; wrong > 1 {
			continue
		}
		cell := 0
		for cell+1 < len(offsets) && offsets[cell+1] <= i {
			cell++
		}
		t.Errorf("%s: word %d, of a %s, is %d, want %d", what, i, allCells[cell].Kind, got[i], want[i])
	}
	if wrong > 1 {
		t.Errorf("%s: and %d more words", what, wrong-1)
	}
}

func TestAKeyBeyondAnArrayIsTheOverflows(t *testing.T) {
	p := load(t, 1000, haveAtomics())
	for _, n := range []uint64{0, keys - 1, keys, 1 << 32, ^uint64(0)} {
		run(t, p.Programs["from_packet"], n, 1, 3)
		got := told{}
		got.add(t, p.small)
		want := key(n)
		if n >= keys {
			want = overflow
		}
		if len(got) != 1 || got[want] == nil || got[want][0] != 3 {
			t.Errorf("key %d: got %v", n, got)
		}
	}
}

func TestAFlushLeavesNothing(t *testing.T) {
	p := load(t, 1000, haveAtomics())
	run(t, p.Programs["from_packet"], 3, 1, 1)
	for i := range 3 {
		for _, table := range []*Table{p.mixed, p.small, p.all} {
			got := told{}
			got.add(t, table)
			if want := 1 - min(i, 1); len(got) != want {
				t.Errorf("flush %d of %s: got %d rows, want %d", i, table.spec.Name, len(got), want)
			}
		}
	}
}

func TestSwapEndsAnIntervalAndFlushTellsIt(t *testing.T) {
	p := load(t, 1000, haveAtomics())
	event := func(n int) { run(t, p.Programs["from_packet"], 3, 1, n) }
	event(1)
	p.mixed.Swap()
	event(2)
	p.mixed.Swap() // nobody has read the first interval
	event(4)
	if n := p.mixed.Keys(); n != 1 {
		t.Errorf("got %d keys that are counted in, want 1", n)
	}
	for _, want := range []uint64{1, 6} {
		got := told{}
		got.add(t, p.mixed)
		if len(got) != 1 || got[mixedKey(3)][0] != want {
			t.Errorf("got %v, want one row of %d events", got, want)
		}
	}
}

// fill gives the table of many keys so many, once each.
func fill(t testing.TB, p *programs, n int) {
	t.Helper()
	run(t, p.Programs["attack"], 0, 0, n)
	if err := p.Variables["serials"].Set([2]uint64{}); err != nil {
		t.Fatal(err)
	}
}

func TestAllKeysAreReadWhateverTheBatch(t *testing.T) {
	const n = 1000
	p := load(t, n, haveAtomics())
	for name, prepare := range map[string]func(*hash){
		"as it is":  func(*hash) {},
		"one":       func(h *hash) { h.batch.make(1) }, // so that buckets have more
		"three":     func(h *hash) { h.batch.make(3) },
		"no batch":  func(h *hash) { h.single = true },
		"no memory": func(h *hash) { h.batch.make(n) },
	} {
		prepare(p.many.hash)
		for round := range 3 {
			fill(t, p, n)
			got := told{}
			got.add(t, p.many)
			if len(got) != n {
				t.Errorf("%s: got %d rows in round %d, want %d", name, len(got), round, n)
			}
			for i := range uint64(n) {
				if cells := got[key(i)]; !slices.Equal(cells, []uint64{1, i}) {
					t.Fatalf("%s: key %d is %v, want [1 %d]", name, i, cells, i)
				}
			}
		}
	}
}

func TestReadingDoesNotAllocate(t *testing.T) {
	const n = 1000
	p := load(t, n, haveAtomics())
	sum := uint64(0)
	row := func(key []byte, cells []uint64, past bool) { sum += cells[0] }
	read := func() {
		left := 1 - p.many.shared.generation()
		if err := p.many.hash.read(left, row); err != nil {
			t.Error(err)
		}
		p.many.shared.noKeys(left)
		p.many.rows.read(left, row)
		left = 1 - p.small.shared.generation()
		p.small.rows.read(left, row)
	}
	leave := func() {
		fill(t, p, 2*n)
		run(t, p.Programs["from_packet"], 3, 1, 10)
		for _, table := range []*Table{p.many, p.small} {
			table.shared.swap()
			if err := table.barrier.wait(table.barrier.now()); err != nil {
				t.Fatal(err)
			}
		}
	}
	leave()
	read()
	leave()
	if allocs := testing.AllocsPerRun(1, read); allocs != 0 { // the first run, which is not measured, has the keys to read
		t.Errorf("got %v allocations of reading nothing", allocs)
	}
	leave()
	before := mallocs()
	read()
	if n := mallocs() - before; n > 2 { // of other goroutines, if any
		t.Errorf("got %d allocations", n)
	}
	if want := uint64(3 * (2*n + 10)); sum != want {
		t.Errorf("got %d events, want %d", sum, want)
	}
}

func TestWhatNoKernelTakesIsSaid(t *testing.T) {
	good := specs(t, 1000)[3]
	for want, change := range map[string]func(*Spec){
		"its cells have 32776 bytes, more than the 32768 that a kernel keeps for each CPU": func(s *Spec) { s.Words = 4097 },
		"it has no cells":              func(s *Spec) { s.Words = 0 },
		"it has no keys":               func(s *Spec) { s.Max = 0 },
		"its keys have 12 bytes":       func(s *Spec) { s.KeySize = 12 },
		"its keys have 520 bytes":      func(s *Spec) { s.KeySize = 520 },
		"are more than an array has":   func(s *Spec) { s.Dense, s.Key = 1<<31, numberKey },
		"nobody said how its cells":    func(s *Spec) { s.Merge = nil },
		"-1 CPUs are none":             func(s *Spec) { s.CPUs = -1 },
		"its cells are for 999 CPUs":   func(s *Spec) { s.CPUs = 999 },
		"make map ingrain_even_many: ": func(s *Spec) { s.Max = 1 << 31 },
	} {
		s := good
		change(&s)
		table, err := New(s)
		if err == nil {
			table.Close()
			t.Errorf("got a table, want the error %q", want)
			continue
		}
		if !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "table many") {
			t.Errorf("got the error %q, want table many .. %q", err, want)
		}
	}
	s := good
	s.Words, s.Max = 4096, 16
	table, err := New(s)
	if err != nil {
		t.Fatalf("the largest cells: %v", err)
	}
	table.Close()
}

// What the kernel says is right since 6.4 (map_mem_usage). From 5.11 on, and
// until then, it leaves out what each CPU has.
func TestBytesAreWhatTheKernelSays(t *testing.T) {
	least := !kernelSince(6, 4) && kernelSince(5, 11)
	for _, s := range specs(t, 8192) {
		table, err := New(s)
		if err != nil {
			t.Fatal(err)
		}
		if got, kernel := table.Bytes(), memory(t, table); got < kernel*9/10 || got > kernel*11/10 && !least {
			t.Errorf("%s: got %d bytes, the kernel says %d", s.Name, got, kernel)
		}
		if err := table.Close(); err != nil {
			t.Error(err)
		}
	}
}
