// SPDX-License-Identifier: Apache-2.0

package file_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/redsift/ingraind/runtime/sinktest"
)

// Each row is in the files once, in order, whatever happens to the disk and the folder.
func TestEveryRowIsThereOnceThroughAllFaults(t *testing.T) {
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=256m"); err != nil {
		t.Fatalf("mount a small tmpfs, run this as root: %v", err)
	}
	defer syscall.Unmount(disk, syscall.MNT_DETACH)
	dir := filepath.Join(disk, "logs")
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.Mkdir(dir, 0o700))
	path, ballast := filepath.Join(dir, "rows"), filepath.Join(disk, "ballast")
	outage := sinktest.Outage{Name: "file", Sink: open(t, path, "max_size=1MiB", "keep=0"), Rows: sinktest.Rows(), Faults: []sinktest.Fault{
		{
			Name: "a full disk", Said: "no space left on device",
			Begin: func() { // to the last page
				b := make([]byte, 1<<20)
				for n := len(b); n >= 1; {
					f, err := os.OpenFile(ballast, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
					must(err)
					if _, err := f.Write(b[:n]); err != nil {
						n /= 2
					}
					f.Close()
				}
			},
			End: func() { must(os.Remove(ballast)) },
		},
		{
			Name: "a folder that is away", Said: "no such file or directory",
			Begin: func() { must(os.Rename(dir, dir+".away")) }, End: func() { must(os.Rename(dir+".away", dir)) },
		},
		{
			Name: "a file that is moved", Mild: true,
			Begin: func() { must(os.Rename(path, path+".moved")) }, End: func() {},
		},
		{
			Name: "a file that another agent has", Said: "another agent writes to it",
			Begin: func() {
				// It is there before ours looks again.
				must(os.WriteFile(path+".other", nil, 0o600))
				f, err := os.Open(path + ".other")
				must(err)
				must(syscall.Flock(int(f.Fd()), syscall.LOCK_EX))
				must(os.Rename(path, path+".ours"))
				must(os.Rename(path+".other", path))
				t.Cleanup(func() { f.Close() })
			},
			End: func() { must(os.Remove(path)) },
		},
	}}
	outage.Run(t)
	tally := sinktest.NewTally(outage.Rows)
	files, err := filepath.Glob(path + "*")
	must(err)
	for _, name := range files {
		text := content(t, name)
		if text != "" && !strings.HasSuffix(text, "\n") {
			t.Errorf("the last line of %s is not whole", name)
		}
		tally.AddLines(text)
	}
	tally.MustHold(t, true)
}
