// SPDX-License-Identifier: Apache-2.0

package ktable

import (
	goruntime "runtime"
	"slices"
	"sync"
	"testing"
	"time"
)

const (
	attackKeys = 1_000_000
	most       = 1000 // keys with a row
)

// sums is how many keys from..from+n-1 are, and their sum.
func sums(from, n uint64) []uint64 { return []uint64{n, n*from + n*(n-1)/2} }

func TestAnAttackWithKeysLeavesTheFirstOnesRight(t *testing.T) {
	p := load(t, most, haveAtomics())
	before := memory(t, p.many)
	begin := time.Now()
	run(t, p.Programs["attack"], 0, 0, attackKeys)
	took := time.Since(begin)
	if err := p.Variables["serials"].Set([2]uint64{}); err != nil {
		t.Fatal(err)
	}
	run(t, p.Programs["attack"], 0, 0, 2*most) // known keys, and some of those beyond
	t.Logf("%d keys, %.0f ns each", attackKeys, float64(took.Nanoseconds())/attackKeys)
	if n := p.many.Keys(); n != most {
		t.Errorf("got %d keys with cells, want %d", n, most)
	}
	if after := memory(t, p.many); after != before {
		t.Errorf("the maps grew from %d to %d bytes", before, after)
	}
	got := told{}
	got.add(t, p.many)
	if len(got) != most+1 {
		t.Errorf("got %d rows, want %d and the overflow", len(got), most)
	}
	for i := range uint64(most) {
		if want := []uint64{2, 2 * i}; !slices.Equal(got[key(i)], want) {
			t.Fatalf("key %d is %v, want %v", i, got[key(i)], want)
		}
	}
	want := sums(most, attackKeys-most)
	mergeSums(want, sums(most, most))
	if !slices.Equal(got[overflow], want) {
		t.Errorf("the overflow is %v, want %v", got[overflow], want)
	}
	if p.many.Refused() != 0 {
		t.Errorf("got %d insertions refused", p.many.Refused())
	}

	run(t, p.Programs["attack"], 1<<40, 0, 10) // the next interval has room again
	got = told{}
	got.add(t, p.many)
	if len(got) != 10 || got[overflow] != nil {
		t.Errorf("got %d rows after the attack, want 10", len(got))
	}
}

// TestCPUsInsertTheSameKeys lets CPUs insert the same new keys at the same
// time, more than there is room for, while the table is flushed.
func TestCPUsInsertTheSameKeys(t *testing.T) {
	defer goruntime.GOMAXPROCS(goruntime.GOMAXPROCS(8))
	const rounds, each = 40, 2500
	p := load(t, most, haveAtomics())
	var cpus sync.WaitGroup
	done := make(chan struct{})
	all := online(t)
	for i, cpu := range all {
		cpus.Go(func() {
			pin(t, cpu)
			for range rounds {
				run(t, p.Programs["attack"], 0, uint64(i), each)
			}
		})
	}
	go func() {
		cpus.Wait()
		close(done)
	}()
	got := told{}
	flushes := 0
	for running := true; running; flushes++ {
		select {
		case <-done:
			running = false
		default:
		}
		rows := 0
		if err := p.many.Flush(func(key []byte, cells []uint64, past bool) {
			rows++
			name := string(key)
			if past {
				name = overflow
			}
			if got[name] == nil {
				got[name] = make([]uint64, 2)
			}
			mergeSums(got[name], cells)
		}); err != nil {
			t.Fatal(err)
		}
		if rows > most+1 {
			t.Errorf("got %d rows at once, want at most %d and the overflow", rows, most)
		}
	}
	got.add(t, p.many)
	sum := make([]uint64, 2)
	for _, cells := range got {
		mergeSums(sum, cells)
	}
	n := uint64(rounds * each * len(all))
	want := sums(0, rounds*each)
	want = []uint64{n, want[1] * uint64(len(all))}
	if !slices.Equal(sum, want) {
		t.Errorf("got %v in all, want %v", sum, want)
	}
	t.Logf("%d events, %d flushes, %d keys, refused %d", n, flushes, len(got), p.many.Refused())
}

// memory is what the kernel says that a table's maps take.
func memory(t testing.TB, table *Table) (sum int64) {
	t.Helper()
	for _, m := range table.maps {
		info, err := m.Info()
		if err != nil {
			t.Fatal(err)
		}
		bytes, ok := info.Memlock()
		if !ok {
			t.Fatal("the kernel does not say what a map takes")
		}
		sum += int64(bytes)
	}
	return sum
}
