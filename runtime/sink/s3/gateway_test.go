// SPDX-License-Identifier: Apache-2.0

package s3_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"io"
	"io/fs"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/sink/s3"
)

// gateway is a versitygw, which keeps objects as files.
type gateway struct {
	t       *testing.T
	dir     string // with data, iam
	address string
	admin   string
	args    []string
	cmd     *exec.Cmd
	tls     bool
}

const versitygw = "../../../.cache/s3/versitygw"

func newGateway(t *testing.T, tls bool) *gateway {
	t.Helper()
	path, err := filepath.Abs(versitygw)
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		t.Fatalf("%v: run .ci/s3, which installs it", err)
	}
	g := &gateway{t: t, dir: t.TempDir(), address: freePort(t), admin: freePort(t), tls: tls}
	for _, d := range []string{"data/rows", "iam"} {
		if err := os.MkdirAll(filepath.Join(g.dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	g.args = []string{path, "--port", g.address, "--admin-port", g.admin, "--health", "/healthz", "--quiet", "--iam-dir", filepath.Join(g.dir, "iam")}
	if tls {
		cert, key := certificate(t, g.dir)
		t.Setenv("AWS_CA_BUNDLE", cert)
		g.args = append(g.args, "--cert", cert, "--key", key)
	} else {
		t.Setenv("AWS_CA_BUNDLE", "")
	}
	g.args = append(g.args, "posix", filepath.Join(g.dir, "data"))
	g.credentials("test", "testsecret")
	t.Setenv("AWS_REGION", "us-east-1")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Cleanup(g.kill)
	g.start()
	return g
}

func (g *gateway) credentials(key, secret string) {
	g.t.Setenv("AWS_ACCESS_KEY_ID", key)
	g.t.Setenv("AWS_SECRET_ACCESS_KEY", secret)
}

// start starts it and waits until it answers.
func (g *gateway) start() {
	g.t.Helper()
	g.cmd = exec.Command(g.args[0], g.args[1:]...)
	g.cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY=test", "ROOT_SECRET_KEY=testsecret")
	if err := g.cmd.Start(); err != nil {
		g.t.Fatal(err)
	}
	for range 200 {
		if c, err := net.Dial("tcp", g.address); err == nil {
			c.Close()
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	g.t.Fatal("versitygw does not listen")
}

// kill ends it at once.
func (g *gateway) kill() {
	if g.cmd != nil {
		g.cmd.Process.Kill()
		g.cmd.Wait()
		g.cmd = nil
	}
}

func (g *gateway) open(settings ...string) runtime.Sink {
	g.t.Helper()
	scheme := "http://"
	if g.tls {
		scheme = "https://"
	}
	s, err := tryOpen(append([]string{"bucket=rows", "endpoint=" + scheme + g.address}, settings...)...)
	if err != nil {
		g.t.Fatal(err)
	}
	return s
}

// tryOpen is the sink with its default settings, but for some.
func tryOpen(settings ...string) (runtime.Sink, error) { return openPart(s3.Part(), settings...) }

func openPart(part runtime.Part, settings ...string) (runtime.Sink, error) {
	s := runtime.Settings{}
	for _, setting := range part.Settings {
		s[setting.Name] = setting.Default
	}
	for _, setting := range settings {
		name, value, _ := strings.Cut(setting, "=")
		s[name] = value
	}
	return part.Open(s)
}

// objects are the keys of the bucket and what is in them, unpacked, read off
// the server's disk.
func (g *gateway) objects() map[string]string {
	g.t.Helper()
	objects := map[string]string{}
	root := os.DirFS(filepath.Join(g.dir, "data/rows"))
	err := fs.WalkDir(root, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(path, ".sgwtmp") {
			return err
		}
		b, err := fs.ReadFile(root, path)
		if err != nil {
			return err
		}
		objects[path] = unpacked(g.t, path, b)
		return nil
	})
	if err != nil {
		g.t.Fatal(err)
	}
	return objects
}

func unpacked(t *testing.T, path string, b []byte) string {
	t.Helper()
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
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return string(b)
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// certificate is one for 127.0.0.1 that vouches for itself.
func certificate(t *testing.T, dir string) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// answering is a server that answers anything in one way.
func answering(t *testing.T, status int, body string, header ...string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
	})}
	go server.Serve(l)
	t.Cleanup(func() { server.Shutdown(context.Background()) })
	return "http://" + l.Addr().String()
}
