// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// generate measures `go generate ./...` where nothing has changed against one
// that has to compile everything, in a copy of the tree. The cost is the CPU
// time of the command and all that it starts.
func generate(b *bench) ([]row, error) {
	tree := b.path("tree")
	if err := b.copyTree(tree); err != nil {
		return nil, err
	}
	objects := b.path("objects") // where the generator keeps what it compiled
	cpu := func() (float64, error) {
		cmd := exec.Command("go", "generate", "./...")
		cmd.Dir, cmd.Env = tree, append(os.Environ(), "XDG_CACHE_HOME="+objects, "GOCACHE="+b.goCache())
		if _, err := output(cmd); err != nil {
			return 0, err
		}
		return (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds() * 1000, nil
	}
	if _, err := cpu(); err != nil { // Go compiles the generator
		return nil, err
	}
	var full, unchanged []float64
	for range b.rounds(3) {
		if err := os.RemoveAll(objects); err != nil {
			return nil, err
		}
		for _, to := range []*[]float64{&full, &unchanged} {
			before, err := hashes(filepath.Join(tree, "generated"))
			if err != nil {
				return nil, err
			}
			ms, err := cpu()
			if err != nil {
				return nil, err
			}
			*to = append(*to, ms)
			after, err := hashes(filepath.Join(tree, "generated"))
			if err != nil {
				return nil, err
			}
			if before != after {
				return nil, errors.New("what is generated from equal input differs")
			}
		}
	}
	return []row{compared("go generate, nothing changed, against everything", "ms", median(unchanged), median(full), 1.0/5)}, nil
}

// copyTree copies the files of the module that git knows or would add.
func (b *bench) copyTree(to string) error {
	cmd := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	cmd.Dir = b.root
	list, err := output(cmd)
	if err != nil {
		return err
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(list, "\x00"), "\x00") {
		content, err := os.ReadFile(filepath.Join(b.root, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted, and git was not told
		}
		if err != nil {
			return err
		}
		path := filepath.Join(to, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// goCache is where Go keeps what it compiled, which is not to be measured.
func (b *bench) goCache() string {
	dir, _ := output(exec.Command("go", "env", "GOCACHE"))
	return strings.TrimSpace(dir)
}

// hashes is what a folder holds, as text to compare.
func hashes(dir string) (string, error) {
	var all bytes.Buffer
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		fmt.Fprintf(&all, "%s %d\n%s", path, len(content), content)
		return err
	})
	return all.String(), err
}
