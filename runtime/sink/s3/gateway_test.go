// SPDX-License-Identifier: Apache-2.0

package s3_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/sink/s3"
	"github.com/redsift/ingraind/runtime/sinktest"
)

// gateway is a server, and how the sink gets at it.
type gateway struct {
	*sinktest.S3
	t   *testing.T
	tls bool
}

const binary = "../../../.cache/s3/versitygw"

func newGateway(t *testing.T, tls bool) *gateway {
	t.Helper()
	var files []string
	if tls {
		cert, key := certificate(t, t.TempDir())
		files = []string{cert, key}
	}
	return &gateway{sinktest.NewS3(t, binary, files...), t, tls}
}

func (g *gateway) credentials(key, secret string) {
	g.t.Setenv("AWS_ACCESS_KEY_ID", key)
	g.t.Setenv("AWS_SECRET_ACCESS_KEY", secret)
}

// open is the sink with its default settings, but for some.
func (g *gateway) open(settings ...string) runtime.Sink { return g.openAt(g.Address, settings...) }

// openAt is one that gets at the server by another address.
func (g *gateway) openAt(address string, settings ...string) runtime.Sink {
	g.t.Helper()
	scheme := "http://"
	if g.tls {
		scheme = "https://"
	}
	s, err := tryOpen(append([]string{"bucket=rows", "endpoint=" + scheme + address}, settings...)...)
	if err != nil {
		g.t.Fatal(err)
	}
	return s
}

func tryOpen(settings ...string) (runtime.Sink, error) {
	return s3.Part().Open(sinktest.Settings(s3.Part(), settings...))
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
