// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"os"
)

// backFiles writes the files that come back from a guest. It takes init's
// messages about them in order:
//
//	file INDEX
//	data BASE64       as often as needed
//	end CRC32 SIZE
//	none INDEX        instead, when the guest has no such file
//
// What is asked for and does not come back whole is an error.
type backFiles struct {
	dir   string
	files []File

	at   int // the current file
	out  *os.File
	sum  hash.Hash32
	size int
	done map[int]bool
	errs []error // what is wrong with single files
}

func newBackFiles(dir string, files []File) *backFiles {
	return &backFiles{dir: dir, files: files, done: make(map[int]bool)}
}

// message takes one message. Its error ends the run.
func (b *backFiles) message(verb, rest string) error {
	switch verb {
	case verbFile, verbNone:
		if _, err := fmt.Sscan(rest, &b.at); err != nil || b.at < 0 || b.at >= len(b.files) {
			return nil // not asked for
		}
		if verb == verbNone {
			b.lose("the guest has no such file")
			return nil
		}
		return b.begin()
	case verbData:
		if b.out == nil {
			return nil
		}
		chunk, err := base64.StdEncoding.DecodeString(rest)
		if err != nil {
			return nil // the sum will tell
		}
		b.sum.Write(chunk)
		b.size += len(chunk)
		_, err = b.out.Write(chunk)
		return err
	case verbEnd:
		return b.end(rest)
	}
	return nil
}

func (b *backFiles) begin() error {
	if err := b.close(); err != nil {
		return err
	}
	out, err := os.Create(in(b.dir, b.files[b.at].Host))
	b.out, b.sum, b.size = out, crc32.NewIEEE(), 0
	return err
}

func (b *backFiles) end(rest string) error {
	if b.out == nil {
		return nil
	}
	if want := fmt.Sprintf("%08x %d", b.sum.Sum32(), b.size); rest != want {
		b.lose(fmt.Sprintf("it was damaged on the serial port: got sum and size %s, sent were %s", want, rest))
	}
	b.done[b.at] = true
	return b.close()
}

// lose notes why the current file is not there.
func (b *backFiles) lose(why string) {
	b.errs = append(b.errs, fmt.Errorf("bring back %s: %s", b.files[b.at].Guest, why))
	b.done[b.at] = true
}

// missing are the files that did not come back, and why.
func (b *backFiles) missing() error {
	for i, f := range b.files {
		if !b.done[i] {
			b.errs = append(b.errs, fmt.Errorf("bring back %s: it never came", f.Guest))
		}
	}
	return errors.Join(b.errs...)
}

// close ends the current file. It may be called again.
func (b *backFiles) close() error {
	if b.out == nil {
		return nil
	}
	err := b.out.Close()
	b.out = nil
	return err
}
