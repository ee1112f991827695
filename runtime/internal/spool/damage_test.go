// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// stretch is where a record stands.
type stretch struct {
	path     string
	from, to int64
	record   int
}

// layout goes through the segments of a log.
func layout(t *testing.T, dir string) (all []stretch, paths []string) {
	t.Helper()
	paths, _ = filepath.Glob(filepath.Join(dir, "*.seg"))
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		f := bytes.NewReader(b)
		id, _, ok := readHeader(f)
		if !ok {
			t.Fatalf("%s has no header", path)
		}
		s := scanner{f: f, id: id, off: headerSize, end: int64(len(b))}
		for {
			at, err := s.next()
			if err != nil {
				break
			}
			all = append(all, stretch{path, at, at + s.head.size(), int(s.head.number - 1)})
		}
	}
	return all, paths
}

// damage does something bad to a segment, and marks the records that it hit.
func damage(t *testing.T, random *rand.Rand, path string, all []stretch, hit map[int]bool) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	size := int64(len(b))
	mark := func(from, to int64) {
		for _, s := range all {
			if s.path == path && s.from < to && s.to > from {
				hit[s.record] = true
			}
		}
	}
	what := ""
	switch random.IntN(9) {
	case 0:
		what = "flip a bit"
		at := random.Int64N(size)
		b[at] ^= 1 << random.IntN(8)
		mark(at, at+1)
	case 1:
		what = "truncate"
		at := random.Int64N(size)
		b = b[:at]
		mark(at, size)
	case 2:
		what = "remove"
		mark(0, size)
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		return what
	case 3:
		what = "duplicate"
		copyFile(t, path, filepath.Join(filepath.Dir(path), fmt.Sprintf("%016x.seg", 1+random.Uint64N(1<<20))))
		return what
	case 4:
		what = "zeros"
		at := random.Int64N(size)
		to := min(size, at+1+random.Int64N(5000))
		clear(b[at:to])
		mark(at, to)
	case 5:
		what = "garbage behind"
		for range random.IntN(5000) {
			b = append(b, byte(random.Uint32()))
		}
	case 6:
		what = "cut a piece out"
		at := random.Int64N(size)
		to := min(size, at+1+random.Int64N(5000))
		b = slices.Delete(b, int(at), int(to))
		mark(at, to)
	case 7:
		what = "a piece of itself in the middle"
		at := random.Int64N(size)
		from := random.Int64N(size)
		b = slices.Insert(b, int(at), b[from:min(size, from+1+random.Int64N(20000))]...)
		mark(at, at+1)
	case 8:
		what = "noise"
		at := random.Int64N(size)
		to := min(size, at+1+random.Int64N(500))
		for i := at; i < to; i++ {
			b[i] = byte(random.Uint32())
		}
		mark(at, to)
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return what
}

// A log that was damaged in a thousand ways gives out each record that the
// damage did not hit, nothing else, and counts the rows of the others.
func TestDamageCostsOnlyWhatItHit(t *testing.T) {
	trials := 1000
	if testing.Short() {
		trials = 100
	}
	root := t.TempDir()
	for trial := range trials {
		random := rand.New(rand.NewPCG(uint64(trial), 3))
		o := Options{Dir: filepath.Join(root, fmt.Sprint(trial)), Max: 1 << 20, Sync: SyncNever}
		l, _, err := Open(o)
		if err != nil {
			t.Fatal(err)
		}
		n, read := 20+random.IntN(150), 0
		mustAppend(t, l, 0, n)
		for range random.IntN(n) {
			if _, _, err := l.Next(); err != nil {
				t.Fatal(err)
			}
			if err := l.Ack(); err != nil {
				t.Fatal(err)
			}
			read++
		}
		if random.IntN(2) == 0 {
			err = l.Close()
		} else { // a crash
			_, err = l.Save(Books{})
			l.closeFiles()
		}
		if err != nil {
			t.Fatal(err)
		}
		all, paths := layout(t, o.Dir)
		hit, what := map[int]bool{}, []string{}
		if len(paths) > 0 {
			random.Shuffle(len(paths), func(i, j int) { paths[i], paths[j] = paths[j], paths[i] })
			for _, path := range paths[:min(len(paths), 1+random.IntN(3))] {
				what = append(what, damage(t, random, path, all, hit))
			}
		}
		l, found, err := Open(o)
		if err != nil {
			t.Fatalf("trial %d: %q: %v", trial, what, err)
		}
		mustAppend(t, l, n, n+5)
		came, rows, damaged := drain(t, l)
		var want []int
		var wantRows uint64
		for i := read; i < n+5; i++ {
			if !hit[i] {
				want = append(want, i)
			}
			if i < n {
				wantRows += record(i).Rows
			}
		}
		for _, i := range want {
			if !slices.Contains(came, i) {
				t.Errorf("trial %d: %q: record %d is lost, and was not hit; %d of %d came", trial, what, i, len(came), len(want))
				break
			}
		}
		for i := n; i < n+5; i++ {
			wantRows += record(i).Rows
		}
		if rows+damaged != wantRows {
			t.Errorf("trial %d: %q: %d rows came and %d were damaged, want %d in all", trial, what, rows, damaged, wantRows)
		}
		if found.Rows > wantRows {
			t.Errorf("trial %d: %q: got %d rows taken over, want at most %d", trial, what, found.Rows, wantRows)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		os.RemoveAll(o.Dir)
	}
}

// A record that was being written when the process ended is not there.
func TestAHalfWrittenRecordIsNotThere(t *testing.T) {
	o := Options{Dir: t.TempDir()}
	l, _ := mustOpen(t, o)
	mustAppend(t, l, 0, 10)
	id, end := l.id, l.end
	l.closeFiles()
	path := segmentPath(o.Dir, 1)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r := record(10)
	next := appendRecord(nil, id, end.number, end.position, &r)
	for n := 1; n <= len(next); n += 1 + n/20 {
		dir := t.TempDir()
		for _, name := range []string{"state", filepath.Base(path)} {
			copyFile(t, filepath.Join(o.Dir, name), filepath.Join(dir, name))
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(path)), append(slices.Clip(whole), next[:n]...), 0o600); err != nil {
			t.Fatal(err)
		}
		l, found := mustOpen(t, Options{Dir: dir})
		mustAppend(t, l, 10, 12)
		want := numbers(0, 12)
		came, rows, damaged := drain(t, l)
		if !slices.Equal(came, want) || damaged != 0 || found.Rows+record(10).Rows+record(11).Rows != rows {
			t.Fatalf("%d bytes of a record: got %v, %d rows damaged, %+v", n, came, damaged, found)
		}
		l.closeFiles()
	}
}

// scripted is a segment whose records have valid checksums, and say what a
// script tells them to say.
func scripted(id identity, script []byte) []byte {
	var b []byte
	if len(script) > 2 && script[0]%4 > 0 {
		b = appendHeader(nil, id, place{uint64(script[1]), uint64(script[2])})
	}
	for ; len(script) >= 6; script = script[6:] {
		number, position, rows := uint64(script[0]%32), uint64(script[1]), uint64(script[2]%16)
		if script[3]&1 > 0 {
			number, position = number<<uint(script[3]%64), position<<uint(script[3]%64)
		}
		at := len(b)
		b = appendRecord(b, id, number, position, &Record{Name: "n", Rows: rows, Bytes: bytes.Repeat(script[4:5], int(script[5]))})
		if script[3]&2 > 0 {
			b[at+int(script[4])%(len(b)-at)] ^= 1
		}
		if script[3]&4 > 0 {
			b = b[:len(b)-int(script[4])%(len(b)-at)]
		}
	}
	return b
}

// Whatever the bytes say, what comes out was in them, and the rows that come
// and those that are missing are all there were said to be.
func FuzzSegment(f *testing.F) {
	id := identity{1, 2, 3}
	good := scripted(id, []byte{1, 1, 0, 0, 0, 0, 1, 0, 3, 0, 'a', 9, 2, 3, 3, 0, 'b', 200, 3, 6, 1, 0, 'c', 7})
	f.Add(good, []byte{}, []byte{1, 0, 3, 0, 'a', 9, 2, 3, 3, 2, 'b', 200, 3, 6, 1, 4, 'c', 7})
	f.Add(good[:len(good)-5], good[headerSize:], []byte{4, 0, 3, 0, 'a', 9, 2, 3, 3, 0, 'b', 200, 3, 6, 1, 1, 'c', 7})
	f.Add([]byte("x"), bytes.Replace(good, []byte("aaa"), []byte("aba"), 1), []byte("x"))
	dir, err := os.MkdirTemp("/dev/shm", "fuzz")
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { os.RemoveAll(dir) })
	n := 0
	f.Fuzz(func(t *testing.T, first, second, script []byte) {
		n++
		dir := filepath.Join(dir, fmt.Sprint(n))
		defer os.RemoveAll(dir)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		var all []byte
		for n, b := range [][]byte{first, second, scripted(id, script)} {
			all = append(all, b...)
			if err := os.WriteFile(segmentPath(dir, uint64(1+n)), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		l, found, err := Open(Options{Dir: dir, Sync: SyncNever, Max: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		defer l.closeFiles()
		var rows, lost uint64
		for n := 0; ; n++ {
			r, damaged, err := l.Next()
			lost += damaged
			if err != nil {
				break
			}
			if !bytes.Contains(all, r.Bytes) {
				t.Fatal("got bytes that are nowhere")
			}
			if n%3 == 2 {
				lost += l.removeOldest()
			}
			rows += r.Rows
			if err := l.Ack(); err != nil {
				t.Fatal(err)
			}
		}
		if rows+lost != found.Rows {
			t.Fatalf("%d rows came and %d were lost, want %d in all", rows, lost, found.Rows)
		}
	})
}

// A state that is not whole is none.
func FuzzState(f *testing.F) {
	f.Add(appendState(nil, 1, &state{next: place{2, 3}, end: place{4, 5}}), []byte{})
	f.Fuzz(func(t *testing.T, a, b []byte) {
		path := filepath.Join(t.TempDir(), "state")
		if err := os.WriteFile(path, append(append(a, make([]byte, max(0, slotSize-len(a)))...), b...), 0o600); err != nil {
			t.Fatal(err)
		}
		file, s, ok, err := openState(path)
		if err != nil {
			t.Fatal(err)
		}
		file.f.Close()
		if ok && (s.next.number > s.end.number || s.next.position > s.end.position) {
			t.Errorf("got %+v", s)
		}
	})
}
