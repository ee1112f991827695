// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"bufio"
	"fmt"
	"io"
	"math"
)

// File types of a cpio entry's mode, as in stat(2).
const (
	modeDir     = 0o040000
	modeChar    = 0o020000
	modeFile    = 0o100000
	modeSymlink = 0o120000
)

// entry is the head of one file of a cpio archive.
type entry struct {
	name         string // without a leading slash
	mode         uint32 // type and permissions
	size         int64
	major, minor uint32 // of a device
}

// cpioWriter writes the archive that Linux takes as an initramfs: "newc",
// described in the kernel's Documentation/driver-api/early-userspace/buffer-format.rst.
// The first error stays and is returned by Close.
type cpioWriter struct {
	w   *bufio.Writer
	ino uint32
	err error
}

func newCPIO(w io.Writer) *cpioWriter { return &cpioWriter{w: bufio.NewWriterSize(w, 1<<20)} }

// Add writes one entry and its content, which must have the entry's size.
func (c *cpioWriter) Add(e entry, content io.Reader) {
	if c.err != nil {
		return
	}
	if e.size > math.MaxUint32 {
		c.err = fmt.Errorf("%s: a cpio archive holds no file of %d bytes", e.name, e.size)
		return
	}
	c.ino++
	// magic, ino, mode, uid, gid, nlink, mtime, filesize, devmajor, devminor,
	// rdevmajor, rdevminor, namesize with its NUL, check
	_, c.err = fmt.Fprintf(c.w, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s\x00",
		c.ino, e.mode, 0, 0, 1, 0, e.size, 0, 0, e.major, e.minor, len(e.name)+1, 0, e.name)
	c.pad(110 + int64(len(e.name)) + 1)
	if c.err != nil || e.size == 0 {
		return
	}
	n, err := io.CopyN(c.w, content, e.size)
	if err != nil {
		c.err = fmt.Errorf("%s: %d of %d bytes: %w", e.name, n, e.size, err)
		return
	}
	c.pad(e.size)
}

// pad fills up to a multiple of four after n bytes.
func (c *cpioWriter) pad(n int64) {
	for ; n%4 != 0 && c.err == nil; n++ {
		c.err = c.w.WriteByte(0)
	}
}

// Close ends the archive.
func (c *cpioWriter) Close() error {
	c.Add(entry{name: "TRAILER!!!"}, nil)
	if c.err != nil {
		return c.err
	}
	return c.w.Flush()
}
