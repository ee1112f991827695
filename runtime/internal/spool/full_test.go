// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"errors"
	"os"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// smallDisk is a folder on a disk of so many bytes.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("this test mounts a small disk: run it as root")
	}
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func TestAFullDiskCostsTheOldestSegments(t *testing.T) {
	l, _ := mustOpen(t, Options{Dir: smallDisk(t, "600k"), Max: 4 << 20})
	var in, dropped uint64
	for n := range 2000 {
		more, err := l.Append([]Record{record(n)}, false)
		if err != nil {
			t.Fatal(err)
		}
		in, dropped = in+record(n).Rows, dropped+more
	}
	came, rows, damaged := drain(t, l)
	if damaged != 0 || dropped == 0 || in != dropped+rows || !slices.Equal(came, numbers(2000-len(came), 2000)) {
		t.Errorf("of %d rows %d were dropped, %d came, %d were damaged", in, dropped, rows, damaged)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

func TestAFullDiskIsReportedAndLeavesNoHalfRecord(t *testing.T) {
	dir := smallDisk(t, "300k")
	l, _ := mustOpen(t, Options{Dir: dir, Max: 1 << 30, KeepOldest: true}) // one segment is larger than the disk
	n, refused := 0, 0
	for i := 0; i < 1000 && refused < 20; i++ {
		_, err := l.Append([]Record{record(n)}, false)
		switch {
		case err == nil:
			n++
		case errors.Is(err, unix.ENOSPC):
			refused++
		default:
			t.Fatal(err)
		}
	}
	if refused != 20 {
		t.Fatalf("%d records fit on a small disk", n)
	}
	l.closeFiles() // a crash
	l, _ = mustOpen(t, Options{Dir: dir, Max: 1 << 30, KeepOldest: true})
	came, _, damaged := drain(t, l)
	if !slices.Equal(came, numbers(0, n)) || damaged != 0 {
		t.Errorf("got %d records, %d rows damaged, want %d and none", len(came), damaged, n)
	}
	mustAppend(t, l, n, n+20) // there is room again
	if came, _, _ := drain(t, l); len(came) != 20 {
		t.Errorf("got %d records, want 20", len(came))
	}
}
