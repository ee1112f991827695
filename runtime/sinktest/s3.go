// SPDX-License-Identifier: Apache-2.0

package sinktest

import (
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// S3 is a versitygw, which keeps objects as files. It has the bucket rows.
type S3 struct {
	*Process
	Address string // HOST:PORT
	Admin   string // where it is administered
	Path    string // of the program

	t    testing.TB
	dir  string // with data, iam
	args []string
}

// NewS3 is one that is running; with the files of a certificate and its key, it speaks
// TLS. binary is where .ci/s3 puts it. The environment has its credentials.
func NewS3(t *testing.T, binary string, certificate ...string) *S3 {
	t.Helper()
	path := Installed(t, binary, ".ci/s3")
	s := &S3{Process: NewProcess(t), t: t, Path: path, dir: t.TempDir(), Address: FreeAddress(t), Admin: FreeAddress(t)}
	for _, d := range []string{"data/rows", "iam"} {
		if err := os.MkdirAll(filepath.Join(s.dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	s.args = []string{"--port", s.Address, "--admin-port", s.Admin, "--health", "/healthz", "--quiet", "--iam-dir", filepath.Join(s.dir, "iam")}
	t.Setenv("AWS_CA_BUNDLE", "")
	if len(certificate) == 2 {
		t.Setenv("AWS_CA_BUNDLE", certificate[0])
		s.args = append(s.args, "--cert", certificate[0], "--key", certificate[1])
	}
	s.args = append(s.args, "posix", filepath.Join(s.dir, "data"))
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "testsecret")
	t.Setenv("AWS_REGION", "us-east-1")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	s.Start()
	return s
}

// Start starts it and waits until it answers.
func (s *S3) Start() {
	s.t.Helper()
	cmd := exec.Command(s.Path, s.args...)
	cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY=test", "ROOT_SECRET_KEY=testsecret")
	s.Process.Start(cmd)
	Until(s.t, "versitygw", func() bool { return Listening(s.Address) })
}

// Bucket is the folder of the bucket rows.
func (s *S3) Bucket() string { return filepath.Join(s.dir, "data/rows") }

// Objects are the keys of the bucket and what is in them, unpacked, read off
// the server's disk.
func (s *S3) Objects() map[string]string {
	s.t.Helper()
	objects := map[string]string{}
	root := os.DirFS(s.Bucket())
	err := fs.WalkDir(root, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(path, ".sgwtmp") {
			return err
		}
		b, err := fs.ReadFile(root, path)
		if err == nil {
			objects[path], err = unpacked(path, b)
		}
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return objects
}

func unpacked(path string, b []byte) (string, error) {
	var r io.Reader = bytes.NewReader(b)
	var err error
	switch filepath.Ext(path) {
	case ".gz":
		r, err = gzip.NewReader(r)
	case ".zst":
		r, err = zstd.NewReader(r)
	}
	if err == nil {
		b, err = io.ReadAll(r)
	}
	return string(b), err
}

// Installed is the whole path of what a script installs.
func Installed(t testing.TB, path, script string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		t.Fatalf("%v: run %s, which installs it", err, script)
	}
	return path
}
