// SPDX-License-Identifier: Apache-2.0

// Package file is the sink that writes rows to a file, a JSON object a line,
// and begins another one when that is large or old enough.
//
// A full file PATH is renamed to PATH.20261123T123456.123456789Z, the moment
// of its end, and never touched again until it is the oldest of too many: one
// atomic rename, after which names sort by time. When somebody else moves or
// removes PATH, the next batch begins a new one.
//
// A batch that an agent wrote and, because it crashed, did not live to note as
// shipped comes again to the next one: before each write, the extended attribute
// user.ingrain.batch of the file says which batch begins where, so that it
// replaces itself. File systems without such attributes get it twice.
package file

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/redsift/ingraind/runtime"
)

// Part is the sink "file".
func Part() runtime.Part {
	return runtime.Part{
		Name: "file",
		Help: "Writes rows to a file, one JSON object a line.",
		Settings: []runtime.Setting{
			{Name: "path", Help: "The file; required. Full ones are PATH.TIME."},
			{Name: "max_size", Default: "64MiB", Help: "A file that would grow beyond this is full; 0 for no bound."},
			{Name: "max_age", Default: "24h", Help: "A file whose first row is older than this is full when the next row comes; 0 for no bound."},
			{Name: "keep", Default: "8", Help: "How many full files to keep; 0 for all."},
		},
		Open: open,
	}
}

func open(s runtime.Settings) (runtime.Sink, error) {
	size, sizeErr := s.Bytes("max_size")
	age, ageErr := s.Duration("max_age")
	keep, keepErr := strconv.Atoi(s.Text("keep"))
	if keepErr != nil || keep < 0 {
		keepErr = fmt.Errorf("keep: %q is no number of files", s.Text("keep"))
	}
	var pathErr error
	if s.Text("path") == "" {
		pathErr = errors.New("path: the file sink needs one, such as /var/log/ingraind.ndjson")
	}
	if err := errors.Join(pathErr, sizeErr, ageErr, keepErr); err != nil {
		return nil, err
	}
	return &file{path: s.Text("path"), maxSize: size, maxAge: age, keep: keep}, nil
}

// Start opens the file.
func (f *file) Start() error { return f.begin() }

// file writes whole batches or nothing of them.
type file struct {
	path    string
	maxSize int64
	maxAge  time.Duration
	keep    int

	f     *os.File // nil when it could not be opened again
	info  os.FileInfo
	size  int64     // of the whole batches in it
	torn  bool      // there may be more in it than size
	last  string    // the batch that another process wrote last, or began to
	begun int64     // where
	since time.Time // its first row
}

// Encoding is NDJSON.
func (f *file) Encoding() runtime.Encoding { return runtime.NDJSON{} }

// Ship appends b by one write. Of a batch that has no room on the disk,
// nothing stays.
func (f *file) Ship(_ context.Context, b *runtime.Batch) error {
	if err := f.whole(); err != nil {
		return err
	}
	if err := f.replace(b.Name); err != nil {
		return err
	}
	if err := f.makeRoom(int64(len(b.Bytes))); err != nil {
		return err
	}
	if f.size == 0 {
		f.since = time.Now()
	}
	f.note(b.Name)
	f.torn = true
	if _, err := f.f.Write(b.Bytes); err != nil {
		return errors.Join(err, f.mend())
	}
	f.torn = false
	f.size += int64(len(b.Bytes))
	return nil
}

// Close writes what the kernel holds of the file to the disk.
func (f *file) Close() error {
	if f.f == nil {
		return nil
	}
	err := errors.Join(f.mend(), f.f.Sync(), f.f.Close())
	f.f = nil
	return err
}

// whole sees to it that the file at path is ours and whole.
func (f *file) whole() error {
	if f.f != nil {
		if err := f.mend(); err != nil {
			return err
		}
		if at, err := os.Stat(f.path); err != nil || !os.SameFile(at, f.info) {
			f.f.Close() // moved or removed; nothing in it is unwritten
			f.f = nil
		}
	}
	if f.f != nil {
		return nil
	}
	return f.begin()
}

// makeRoom begins another file when this one has no room for n bytes more.
func (f *file) makeRoom(n int64) error {
	large := f.maxSize > 0 && f.size+n > f.maxSize
	old := f.maxAge > 0 && time.Since(f.since) >= f.maxAge
	if f.size == 0 || !large && !old {
		return nil
	}
	return f.rotate()
}

// mend cuts off what a failed write left behind.
func (f *file) mend() error {
	if !f.torn {
		return nil
	}
	if err := f.f.Truncate(f.size); err != nil {
		return err
	}
	f.torn = false
	return nil
}

// begin opens the file at path, where it may exist, and completes a last line
// that a crash left torn.
func (f *file) begin() error {
	if info, err := os.Stat(f.path); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("open %s: it is no regular file", f.path)
	}
	opened, err := os.OpenFile(f.path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o640)
	if err != nil {
		return err
	}
	if err := f.adopt(opened); err != nil {
		return errors.Join(fmt.Errorf("open %s: %w", f.path, err), opened.Close())
	}
	f.f = opened
	return nil
}

func (f *file) adopt(opened *os.File) error {
	if err := unix.Flock(int(opened.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return errors.New("another agent writes to it")
	}
	info, err := opened.Stat()
	if err != nil {
		return err
	}
	size := info.Size()
	if size > 0 {
		var last [1]byte
		if _, err := opened.ReadAt(last[:], size-1); err != nil {
			return err
		}
		if last[0] != '\n' {
			if _, err := opened.Write([]byte{'\n'}); err != nil {
				return err
			}
			size++
		}
	}
	f.info, f.size, f.torn, f.since = info, size, false, born(opened, info)
	f.last, f.begun = noted(opened)
	return nil
}

// born is when a file was made, or, on a file system that does not know, last
// written to.
func born(f *os.File, info os.FileInfo) time.Time {
	var s unix.Statx_t
	err := unix.Statx(int(f.Fd()), "", unix.AT_EMPTY_PATH, unix.STATX_BTIME, &s)
	if err != nil || s.Mask&unix.STATX_BTIME == 0 {
		return info.ModTime()
	}
	return time.Unix(s.Btime.Sec, int64(s.Btime.Nsec))
}
