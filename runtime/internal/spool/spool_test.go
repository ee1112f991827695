// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func mustOpen(t *testing.T, o Options) (*Log, Found) {
	t.Helper()
	l, found, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.closeFiles)
	return l, found
}

// record is the n-th record of a test: what is in it follows from n.
func record(n int) Record {
	random := rand.New(rand.NewPCG(uint64(n), 7))
	b := make([]byte, random.IntN(3000))
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	if n%5 == 0 { // bytes that look like a head
		b = append(b, magic[:]...)
	}
	return Record{Name: fmt.Sprintf("batch-%06d", n), Encoding: "ndjson", Grain: []string{"", "exec"}[n%2], Event: []string{"", "", "exit"}[n%3], Rows: uint64(1 + n%7), First: int64(n), Last: int64(n + 1), Bytes: b}
}

func mustAppend(t *testing.T, l *Log, from, to int) {
	t.Helper()
	for n := from; n < to; n++ {
		if _, err := l.Append([]Record{record(n)}, false); err != nil {
			t.Fatal(err)
		}
	}
}

// drain reads the log to its end, checks that each record is one that was
// written and came in order, and says which came.
func drain(t *testing.T, l *Log) (came []int, rows, damaged uint64) {
	t.Helper()
	for {
		r, lost, err := l.Next()
		damaged += lost
		if err == io.EOF {
			return came, rows, damaged
		}
		if err != nil {
			t.Fatal(err)
		}
		var n int
		if _, err := fmt.Sscanf(r.Name, "batch-%d", &n); err != nil {
			t.Fatalf("got a record %q", r.Name)
		}
		want := record(n)
		if r.Rows != want.Rows || r.First != want.First || r.Last != want.Last || r.Encoding != want.Encoding || r.Grain != want.Grain || r.Event != want.Event || !bytes.Equal(r.Bytes, want.Bytes) {
			t.Fatalf("record %d came out as another", n)
		}
		if len(came) > 0 && n <= came[len(came)-1] {
			t.Fatalf("record %d came behind %d", n, came[len(came)-1])
		}
		came = append(came, n)
		rows += r.Rows
		if err := l.Ack(); err != nil {
			t.Fatal(err)
		}
	}
}

func numbers(from, to int) (all []int) {
	for n := from; n < to; n++ {
		all = append(all, n)
	}
	return all
}

func TestRecordsComeInOrderAlsoToTheNextProcess(t *testing.T) {
	for _, crash := range []bool{false, true} {
		o := Options{Dir: t.TempDir(), Max: 64 << 20}
		l, found := mustOpen(t, o)
		if found.Rows != 0 || found.Crashed != 0 {
			t.Errorf("got %+v of a new log", found)
		}
		mustAppend(t, l, 0, 500)
		for n := range 100 {
			if r, _, err := l.Next(); err != nil || r.Name != record(n).Name {
				t.Fatalf("got %v, %v, want %s", r.Name, err, record(n).Name)
			}
			if err := l.Ack(); err != nil {
				t.Fatal(err)
			}
		}
		if r, _, err := l.Next(); err != nil || r.Name != record(100).Name {
			t.Fatalf("got %v, %v", r.Name, err)
		} // and is not acknowledged
		if crash {
			l.closeFiles()
		} else if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		l, found = mustOpen(t, o)
		want := uint64(0)
		for n := 100; n < 500; n++ {
			want += record(n).Rows
		}
		if found.Rows != want {
			t.Errorf("crash %v: got %d rows taken over, want %d", crash, found.Rows, want)
		}
		mustAppend(t, l, 500, 600)
		came, _, damaged := drain(t, l)
		if !slices.Equal(came, numbers(100, 600)) || damaged != 0 {
			t.Errorf("crash %v: got %d records, %d rows damaged, want 100 to 599 and none", crash, len(came), damaged)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if left, _ := filepath.Glob(filepath.Join(o.Dir, "*.seg")); len(left) > 0 {
			t.Errorf("an empty log leaves %q behind", left)
		}
	}
}

func TestAnotherProcessIsKeptOut(t *testing.T) {
	o := Options{Dir: t.TempDir()}
	mustOpen(t, o)
	if _, _, err := Open(o); err == nil {
		t.Error("got the same log twice, want an error")
	}
}

func TestTheOldestSegmentGoesWhenTheLogIsFull(t *testing.T) {
	o := Options{Dir: t.TempDir(), Max: 1 << 20}
	l, _ := mustOpen(t, o)
	var in, dropped uint64
	held, _ := record(0), 0
	for n := range 3000 {
		more, err := l.Append([]Record{record(n)}, false)
		if err != nil {
			t.Fatal(err)
		}
		in, dropped = in+record(n).Rows, dropped+more
		if n == 0 {
			if _, _, err := l.Next(); err != nil {
				t.Fatal(err)
			}
		}
		if l.total > o.Max {
			t.Fatalf("the log has %d bytes, want at most %d", l.total, o.Max)
		}
	}
	if err := l.Ack(); err != nil { // the first one, whose segment is long gone
		t.Fatal(err)
	}
	came, rows, damaged := drain(t, l)
	if damaged != 0 || in != dropped+rows+held.Rows || dropped == 0 || !slices.Equal(came, numbers(3000-len(came), 3000)) {
		t.Errorf("of %d rows %d were dropped, %d came, %d were damaged", in, dropped, rows, damaged)
	}
	if size := diskUse(t, o.Dir); size > o.Max {
		t.Errorf("got %d bytes on disk", size)
	}
}

func diskUse(t *testing.T, dir string) (size int64) {
	t.Helper()
	paths, _ := filepath.Glob(filepath.Join(dir, "*.seg"))
	for _, p := range paths {
		if info, err := os.Stat(p); err == nil {
			size += info.Size()
		}
	}
	return size
}

func TestAFullLogThatKeepsTheOldestRefuses(t *testing.T) {
	l, _ := mustOpen(t, Options{Dir: t.TempDir(), Max: 256 << 10, KeepOldest: true})
	n := 0
	for ; ; n++ {
		dropped, err := l.Append([]Record{record(n)}, false)
		if dropped != 0 {
			t.Fatalf("dropped %d rows", dropped)
		}
		if errors.Is(err, ErrFull) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if came, _, _ := drain(t, l); !slices.Equal(came, numbers(0, n)) {
		t.Errorf("got %d records, want %d", len(came), n)
	}
	mustAppend(t, l, n, n+10) // what has been read makes room
	if came, _, _ := drain(t, l); len(came) != 10 {
		t.Errorf("got %d records, want 10", len(came))
	}
}

func TestARecordLargerThanTheLogIsRefused(t *testing.T) {
	l, _ := mustOpen(t, Options{Dir: t.TempDir(), Max: 64 << 10})
	if _, err := l.Append([]Record{{Name: "n", Rows: 1, Bytes: make([]byte, 65<<10)}}, false); !errors.Is(err, ErrTooLarge) {
		t.Errorf("got %v", err)
	}
	if _, err := l.Append([]Record{{Name: "n", Rows: 1, Bytes: make([]byte, MaxBytes+1)}}, false); !errors.Is(err, ErrTooLarge) {
		t.Errorf("got %v", err)
	}
	mustAppend(t, l, 0, 3)
	if came, _, _ := drain(t, l); !slices.Equal(came, numbers(0, 3)) {
		t.Errorf("got %v", came)
	}
}

func TestTheBooksSayWhatACrashCost(t *testing.T) {
	o := Options{Dir: t.TempDir(), Sync: SyncNever}
	for range 3 {
		l, _ := mustOpen(t, o)
		mustAppend(t, l, 1, 3) // of 2 and 3 rows
		if _, err := l.Save(Books{In: 100, Direct: 60}); err != nil {
			t.Fatal(err)
		}
		mustAppend(t, l, 3, 4) // of 4 rows; not in the books that were saved
		l.closeFiles()
		l, found := mustOpen(t, o)
		if found.Rows != 9 || found.Crashed != 31 {
			t.Errorf("got %+v, want 9 rows taken over, and 100-60-9 lost", found)
		}
		drain(t, l)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	l, found := mustOpen(t, o)
	if found.Rows != 0 || found.Crashed != 0 {
		t.Errorf("got %+v, want nothing", found)
	}
	l.closeFiles()
}

func TestALostStateReplaysAllThereIs(t *testing.T) {
	o := Options{Dir: t.TempDir()}
	l, _ := mustOpen(t, o)
	mustAppend(t, l, 0, 50)
	if _, _, err := l.Next(); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(l.Ack(), l.Close(), os.Truncate(filepath.Join(o.Dir, "state"), 3)); err != nil {
		t.Fatal(err)
	}
	l, found := mustOpen(t, o)
	came, rows, damaged := drain(t, l)
	if len(came) != 50 || damaged != 0 || found.Rows != rows {
		t.Errorf("got %d records, %d rows of %d, %d damaged", len(came), rows, found.Rows, damaged)
	}
}

func TestSegmentsOfAnotherLogAreLeftAlone(t *testing.T) {
	a, b := Options{Dir: t.TempDir()}, Options{Dir: t.TempDir()}
	l, _ := mustOpen(t, a)
	mustAppend(t, l, 0, 10)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l, _ = mustOpen(t, b)
	mustAppend(t, l, 10, 20)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	stranger := filepath.Join(b.Dir, "00000000000000ff.seg")
	copyFile(t, segmentPath(a.Dir, 1), stranger)
	l, found := mustOpen(t, b)
	if came, _, damaged := drain(t, l); !slices.Equal(came, numbers(10, 20)) || damaged != 0 || len(found.Foreign) != 1 {
		t.Errorf("got %v, %d damaged, %+v", came, damaged, found)
	}
	if _, err := os.Stat(stranger); err != nil {
		t.Error(err)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestReadingWhileAppendingLosesNothing(t *testing.T) {
	l, _ := mustOpen(t, Options{Dir: t.TempDir(), Max: 4 << 20, KeepOldest: true, Sync: SyncNever})
	const total = 5000
	done := make(chan error, 1)
	go func() {
		for n := 0; n < total; {
			var group []Record
			for i := n; i < min(n+1+n%9, total); i++ {
				group = append(group, record(i))
			}
			_, err := l.Append(group, false)
			if errors.Is(err, ErrFull) {
				time.Sleep(time.Millisecond)
				continue
			}
			if err != nil {
				done <- err
				return
			}
			n += len(group)
			if _, err := l.Save(Books{In: uint64(n)}); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	var came []int
	for len(came) < total {
		more, _, damaged := drain(t, l)
		if damaged > 0 {
			t.Fatalf("%d rows damaged", damaged)
		}
		if came = append(came, more...); len(more) == 0 {
			time.Sleep(time.Millisecond)
		}
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(came, numbers(0, total)) {
		t.Error("records came in another order")
	}
}

func BenchmarkAppendAndRead(b *testing.B) {
	for _, sync := range []Sync{SyncNever, SyncAppend} {
		b.Run(fmt.Sprint(sync), func(b *testing.B) {
			l, _, err := Open(Options{Dir: b.TempDir(), Sync: sync})
			if err != nil {
				b.Fatal(err)
			}
			r := []Record{{Name: "0123456789abcdef0123456789abcdef", Encoding: "ndjson", Rows: 300, Bytes: bytes.Repeat([]byte("x"), 64<<10)}}
			b.SetBytes(64 << 10)
			for b.Loop() {
				if _, err := l.Append(r, false); err != nil {
					b.Fatal(err)
				}
				if _, _, err := l.Next(); err != nil {
					b.Fatal(err)
				}
				if err := l.Ack(); err != nil {
					b.Fatal(err)
				}
			}
			if err := l.Close(); err != nil {
				b.Fatal(err)
			}
		})
	}
}
