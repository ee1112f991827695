// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"
)

// Options say what to run where. Kernel and Program are needed, the zero
// value of all others is useful.
type Options struct {
	Kernel  Kernel
	Program string   // on the host; its libraries are taken along
	Args    []string // without the program's name
	Env     []string // "NAME=value", on top of PATH, HOME and TMPDIR

	// Dir is the folder the program starts in, the same path on the host and
	// in the guest; its testdata is taken along. "" is the current one.
	Dir string

	Files   []File   // more files, libraries of programs included
	Back    []File   // files of the guest that come back when the program has ended
	Modules []string // to load: "veth", "null_blk nr_devices=2"
	Append  []string // more for the kernel's command line

	CPUs      int           // 0 is 1; more need QEMU 10
	MemoryMiB int           // 0 is 512, more if the files are large
	Timeout   time.Duration // of the whole run; 0 is 5 minutes
	QEMU      string        // folder with an unpacked QEMU; "" is the installed one
	Init      string        // the guest's init, a vmtest for its architecture; "" builds it
	Self      bool          // the calling program is vmtest and can be the guest's init

	Stdout io.Writer // what the program prints, both streams; nil discards it
	Log    io.Writer // one line about the run; nil discards it
}

// File is a file or folder that is copied between host and guest. A relative
// path belongs to Options.Dir.
type File struct{ Host, Guest string }

// ParseFile reads HOST:GUEST, or PATH for the same path on both sides.
func ParseFile(s string) (File, error) {
	host, guest, both := strings.Cut(s, ":")
	if !both {
		guest = host
	}
	if host == "" || guest == "" {
		return File{}, fmt.Errorf("%q is not HOST:GUEST", s)
	}
	return File{host, guest}, nil
}

// Result is what a run that came to its end tells.
type Result struct {
	Exit  int           // of the program; 128 and the signal's number when one ended it
	Boot  time.Duration // until the program started
	Total time.Duration
	Notes []string // the kernel's warnings while the program ran
}

// complete fills in the defaults and makes paths absolute.
func (o Options) complete() (Options, arch, error) {
	a, err := archOf(o.Kernel.Arch)
	if err != nil {
		return o, a, err
	}
	if o.Program == "" {
		return o, a, errors.New("no program to run")
	}
	if o.Dir, err = filepath.Abs(o.Dir); err != nil {
		return o, a, err
	}
	o.CPUs = cmp.Or(o.CPUs, 1)
	o.Timeout = cmp.Or(o.Timeout, 5*time.Minute)
	if o.Stdout == nil {
		o.Stdout = io.Discard
	}
	if o.Log == nil {
		o.Log = io.Discard
	}
	return o, a, nil
}

// in makes a path absolute that belongs to a folder.
func in(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// memory is what a guest gets whose image has this size: the image is there
// twice while it is unpacked, and its files stay in memory.
func (o Options) memory(image int64) int {
	if o.MemoryMiB != 0 {
		return o.MemoryMiB
	}
	return 512 + int(3*image>>20)/64*64
}
