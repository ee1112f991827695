// SPDX-License-Identifier: Apache-2.0

package sinktest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Receiver is a server that takes batches by POST and knows the names of those
// that it has: a file in a folder for each, there at once and for good. It is a
// process of its own, this program's: TestMain calls BeReceiver.
type Receiver struct {
	*Process
	Address string // HOST:PORT

	t   testing.TB
	dir string
}

// receiverRole is what tells the process.
const receiverRole = "INGRAIN_RECEIVER"

// NewReceiver is one that is running.
func NewReceiver(t testing.TB) *Receiver {
	t.Helper()
	r := &Receiver{Process: NewProcess(t), Address: FreeAddress(t), t: t, dir: t.TempDir()}
	for _, name := range []string{"part", "again", "differs"} {
		if err := os.Mkdir(filepath.Join(r.dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	r.Start()
	return r
}

// Start starts it and waits until it answers.
func (r *Receiver) Start() {
	r.t.Helper()
	self, err := os.Executable()
	if err != nil {
		r.t.Fatal(err)
	}
	cmd := exec.Command(self, r.Address, r.dir)
	cmd.Env = append(os.Environ(), receiverRole+"=1")
	cmd.Stderr = os.Stderr
	r.Process.Start(cmd)
	Until(r.t, "the receiver", func() bool { return Listening(r.Address) })
}

// BeReceiver is the receiver, and does not return, in the process that was
// started as one.
func BeReceiver() {
	if os.Getenv(receiverRole) == "" {
		return
	}
	dir := os.Args[2]
	err := http.ListenAndServe(os.Args[1], http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = keep(dir, r.Header.Get("Idempotency-Key"), body)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	}))
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// keep keeps a batch, or notes that it came again.
func keep(dir, name string, body []byte) error {
	file := filepath.Join(dir, name)
	if have, err := os.ReadFile(file); err == nil {
		what := "again/"
		if !bytes.Equal(have, body) {
			what = "differs/"
		}
		return os.WriteFile(filepath.Join(dir, what+name), nil, 0o600)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "part", name), body, 0o600); err != nil {
		return err
	}
	return os.Rename(filepath.Join(dir, "part", name), file)
}

// Batches is what it has, by name.
func (r *Receiver) Batches() map[string]string {
	r.t.Helper()
	all := map[string]string{}
	for _, b := range r.list("") {
		if b.IsDir() {
			continue
		}
		text, err := os.ReadFile(filepath.Join(r.dir, b.Name()))
		if err != nil {
			r.t.Fatal(err)
		}
		all[b.Name()] = string(text)
	}
	return all
}

// Again is how many batches came again, as they were, and how many with other rows.
func (r *Receiver) Again() (same, others int) {
	return len(r.list("again")), len(r.list("differs"))
}

func (r *Receiver) list(name string) []os.DirEntry {
	r.t.Helper()
	entries, err := os.ReadDir(filepath.Join(r.dir, name))
	if err != nil {
		r.t.Fatal(err)
	}
	return entries
}
