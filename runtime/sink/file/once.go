// SPDX-License-Identifier: Apache-2.0

package file

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// attribute holds the name of the batch that was written last, and the size of
// the file before it.
const attribute = "user.ingrain.batch"

// note says which batch is about to be written. A file system that takes no
// note has none.
func (f *file) note(name string) {
	if name != "" {
		_ = unix.Fsetxattr(int(f.f.Fd()), attribute, fmt.Appendf(nil, "%s %d", name, f.size), 0)
	}
}

// noted is what the process before this one noted.
func noted(f *os.File) (name string, begun int64) {
	var b [128]byte
	n, err := unix.Fgetxattr(int(f.Fd()), attribute, b[:])
	if err != nil {
		return "", 0
	}
	if _, err := fmt.Sscanf(string(b[:n]), "%s %d", &name, &begun); err != nil {
		return "", 0
	}
	return name, begun
}

// replace takes the batch called name out of the file, when the process before
// this one wrote it last; it is about to be written again.
func (f *file) replace(name string) error {
	if f.last == "" {
		return nil
	}
	if f.last == name && f.begun <= f.size {
		if err := f.f.Truncate(f.begun); err != nil {
			return err
		}
		f.size = f.begun
	}
	f.last = ""
	return nil
}
