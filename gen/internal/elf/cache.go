// SPDX-License-Identifier: Apache-2.0

package elf

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// key is a hash of all that Compile's result depends on: the tools, the flags,
// the file, and every header of the folders that it may include from.
func (c *Compiler) key(s Source) (string, error) {
	h := sha256.New()
	fmt.Fprintf(h, "%s%s %s %s %q %q\n", c.tools, s.File, s.As, s.Target, s.Flags, stripped)
	if err := hashFile(h.Write, filepath.Join(s.Root, s.File)); err != nil {
		return "", err
	}
	for _, dir := range s.folders() {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if os.IsNotExist(err) {
				return nil
			}
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".h") {
				return err
			}
			name, err := filepath.Rel(dir, path)
			if err != nil {
				return err
			}
			fmt.Fprintf(h, "%s\n", name)
			return hashFile(h.Write, path)
		})
		if err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// folders are those whose headers are in the key.
func (s Source) folders() []string {
	return []string{s.Headers, filepath.Dir(filepath.Join(s.Root, s.File)), s.Include}
}

// known reports whether everything that went into an object, as clang's -MD
// lists it, is in the key. A header of the system is not: such an object is
// made anew each time.
func (s Source) known(dependencies string) bool {
	list, err := os.ReadFile(dependencies)
	if err != nil {
		return false
	}
	_, files, _ := strings.Cut(strings.ReplaceAll(string(list), "\\\n", " "), ": ")
	for _, file := range strings.Fields(files) {
		if !s.holds(file) {
			return false
		}
	}
	return true
}

func (s Source) holds(file string) bool {
	if !filepath.IsAbs(file) {
		file = filepath.Join(s.Root, file)
	}
	for _, dir := range s.folders() {
		if strings.HasPrefix(filepath.Clean(file), dir+string(filepath.Separator)) {
			return true
		}
	}
	return false
}

func hashFile(write func([]byte) (int, error), path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(content)
	write(sum[:])
	return nil
}

// kept returns the object that was stored under a key, nil when there is none.
func (c *Compiler) kept(key string) []byte {
	if c.Cache == "" {
		return nil
	}
	object, err := os.ReadFile(c.place(key))
	if err != nil {
		return nil
	}
	return object
}

func (c *Compiler) place(key string) string { return filepath.Join(c.Cache, key[:2], key) }

// keep stores an object under its key. That it cannot is no error: the next
// run compiles again.
func (c *Compiler) keep(key string, object []byte) {
	if c.Cache == "" {
		return
	}
	place := c.place(key)
	if os.MkdirAll(filepath.Dir(place), 0o755) != nil {
		return
	}
	tmp, err := os.CreateTemp(filepath.Dir(place), "new-")
	if err != nil {
		return
	}
	_, err = tmp.Write(object)
	if tmp.Close() != nil || err != nil || os.Rename(tmp.Name(), place) != nil {
		os.Remove(tmp.Name())
	}
}
