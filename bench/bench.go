// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// module is what is measured.
const module = "github.com/redsift/ingraind"

// bench is where measuring happens.
type bench struct {
	part  int    // of the full effort: 1 is all of it, 6 a sixth
	root  string // of the module's tree
	dir   string // for what is built and printed: memory, where there is a tmpfs
	built map[string]string

	peers   bool                  // whether to fetch peers that this machine does not have
	fetched func() (*peer, error) // the one that bpftrace returns, fetched the first time
}

func newBench(part int) (*bench, error) {
	mod, err := output(exec.Command("go", "env", "GOMOD"))
	if err != nil {
		return nil, err
	}
	b := &bench{part: part, root: filepath.Dir(strings.TrimSpace(mod)), built: map[string]string{}}
	within := "/dev/shm"
	if _, err := os.Stat(within); err != nil {
		within = ""
	}
	b.fetched = sync.OnceValues(func() (*peer, error) {
		return fetchPeer(filepath.Join(b.root, ".cache", "peers", "bpftrace-"+peerSuite))
	})
	if b.dir, err = os.MkdirTemp(within, "ingraind-bench-"); err != nil {
		return nil, err
	}
	return b, nil
}

func (b *bench) close() { os.RemoveAll(b.dir) }

func (b *bench) path(name string) string { return filepath.Join(b.dir, name) }

// rounds is how many turns to take, of n in all.
func (b *bench) rounds(n int) int { return max(n/b.part, 1) }

// length is how long to look, of so long in all; a second says something.
func (b *bench) length(all time.Duration) time.Duration {
	return max(all/time.Duration(b.part), time.Second)
}

// build builds a command of this module as it is shipped, and returns its path.
func (b *bench) build(pkg string, flags ...string) (string, error) {
	if path := b.built[pkg]; path != "" {
		return path, nil
	}
	path := b.path(filepath.Base(pkg))
	args := append([]string{"build", "-trimpath", "-ldflags=-s -w", "-o", path}, flags...)
	cmd := exec.Command("go", append(args, module+"/"+pkg)...)
	cmd.Dir, cmd.Env = b.root, append(os.Environ(), "CGO_ENABLED=0")
	if _, err := output(cmd); err != nil {
		return "", err
	}
	b.built[pkg] = path
	return path, nil
}

// inTree is what a command prints that runs in the root of the tree.
func (b *bench) inTree(name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = b.root
	return output(cmd)
}

// buildInside builds a command of bench that has to lie elsewhere, because it
// uses what is internal there.
func (b *bench) buildInside(pkg, inside string) (string, error) {
	files, err := filepath.Glob(filepath.Join(b.root, pkg, "*.go"))
	if err != nil {
		return "", err
	}
	replace := map[string]string{}
	for _, f := range files {
		replace[filepath.Join(b.root, inside, filepath.Base(f))] = f
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	file := b.path("overlay.json")
	if err := os.WriteFile(file, overlay, 0o600); err != nil {
		return "", err
	}
	return b.build(inside, "-overlay", file, "-tags", "overlay")
}

// output is what a command prints; its error has what it prints on stderr.
func output(cmd *exec.Cmd) (string, error) {
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return "", fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, exit.Stderr)
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", strings.Join(cmd.Args, " "), err)
	}
	return string(out), nil
}
