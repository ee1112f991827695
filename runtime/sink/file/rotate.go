// SPDX-License-Identifier: Apache-2.0

package file

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// stamp is what a full file's name ends in, in UTC.
const stamp = ".20060102T150405.000000000Z"

// rotate gives the file its last name and begins another.
func (f *file) rotate() error {
	at := time.Now().UTC()
	name := f.path + at.Format(stamp)
	for exists(name) {
		at = at.Add(1)
		name = f.path + at.Format(stamp)
	}
	if err := os.Rename(f.path, name); err != nil {
		return err
	}
	err := f.f.Close()
	f.f = nil
	if err != nil {
		return err
	}
	f.prune()
	return f.begin()
}

// prune removes the oldest full files when there are too many. One that cannot
// be removed is tried again the next time: it must not keep rows waiting.
func (f *file) prune() {
	full, err := f.full()
	if err != nil || f.keep == 0 || len(full) <= f.keep {
		return
	}
	for _, name := range full[:len(full)-f.keep] {
		_ = os.Remove(name)
	}
}

// full lists the full files, the oldest first.
func (f *file) full() ([]string, error) {
	dir, base := filepath.Split(f.path)
	entries, err := os.ReadDir(filepath.Clean(dir))
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		end, ok := strings.CutPrefix(e.Name(), base)
		if !ok {
			continue
		}
		if _, err := time.Parse(stamp, end); err == nil && e.Type().IsRegular() {
			names = append(names, filepath.Join(dir, e.Name()))
		}
	}
	slices.Sort(names)
	return names, nil
}

func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}
