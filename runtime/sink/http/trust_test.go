// SPDX-License-Identifier: Apache-2.0

package http_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	nethttp "net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redsift/ingraind/runtime"
)

// authority signs certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  string
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	a := authority{cert: &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}}
	a.key = newKey(t)
	a.cert, a.pem = a.sign(t, a.cert, a.key)
	return a
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (a authority) sign(t *testing.T, c *x509.Certificate, key *ecdsa.PrivateKey) (*x509.Certificate, string) {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, c, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return signed, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// pair is a certificate for name at 127.0.0.1, and its key, as PEM.
func (a authority) pair(t *testing.T, name string, until time.Time) (cert, key string) {
	t.Helper()
	private := newKey(t)
	_, cert = a.sign(t, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, NotBefore: until.Add(-time.Hour), NotAfter: until,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}, private)
	der, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return cert, string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}))
}

// newTLSReceiver has a certificate of a, and wants one of clients, if there are any.
func newTLSReceiver(t *testing.T, a authority, until time.Time, clients *authority, answer func(nethttp.ResponseWriter, *nethttp.Request)) *receiver {
	t.Helper()
	cert, key := a.pair(t, "receiver", until)
	own, err := tls.X509KeyPair([]byte(cert), []byte(key))
	if err != nil {
		t.Fatal(err)
	}
	return newReceiver(t, func(s *httptest.Server) {
		s.TLS = &tls.Config{Certificates: []tls.Certificate{own}}
		if clients != nil {
			s.TLS.ClientAuth, s.TLS.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
			s.TLS.ClientCAs.AddCert(clients.cert)
		}
		s.Config.ErrorLog = discard
		s.StartTLS()
	}, answer)
}

func mustTryAgain(t *testing.T, s runtime.Sink, want string) {
	t.Helper()
	for range 2 {
		if err := s.Ship(t.Context(), batch("a", "{}\n")); err == nil || runtime.IsPermanent(err) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s, to be tried again", err, want)
		}
	}
}

func TestOnlyAReceiverThatIsTrustedGetsRows(t *testing.T) {
	a, other, later := newAuthority(t), newAuthority(t), time.Now().Add(time.Hour)
	r := newTLSReceiver(t, a, later, nil, nil)
	ca := write(t, "ca", a.pem)
	mustTryAgain(t, open(t, r.URL), "certificate signed by unknown authority")
	mustTryAgain(t, open(t, r.URL, "ca_file="+write(t, "ca", other.pem)), "certificate signed by unknown authority")
	mustTryAgain(t, open(t, strings.Replace(r.URL, "127.0.0.1", "localhost", 1), "ca_file="+ca), "match localhost")
	if got := r.count(); got != 0 {
		t.Errorf("got %d requests from those who do not trust", got)
	}
	mustShip(t, open(t, r.URL, "ca_file="+ca), batch("a", "{}\n"))
	if got := r.count(); got != 1 {
		t.Errorf("got %d requests, want 1", got)
	}
	past := time.Date(2020, 2, 3, 4, 5, 6, 0, time.UTC)
	expired := newTLSReceiver(t, a, past, nil, nil)
	mustTryAgain(t, open(t, expired.URL, "ca_file="+ca), "POST "+expired.URL+": the certificate of the receiver is good from 2020-02-03 03:05 UTC until 2020-02-03 04:05 UTC")
}

func TestTheAgentShowsItsCertificateAndTheRenewedOne(t *testing.T) {
	a, clients, later := newAuthority(t), newAuthority(t), time.Now().Add(time.Hour)
	names := make(chan string, 10)
	r := newTLSReceiver(t, a, later, &clients, func(_ nethttp.ResponseWriter, r *nethttp.Request) {
		names <- r.TLS.PeerCertificates[0].Subject.CommonName
	})
	dir := t.TempDir()
	files := []string{"ca_file=" + write(t, "ca", a.pem), "cert_file=" + filepath.Join(dir, "cert"), "key_file=" + filepath.Join(dir, "key")}
	renew := func(name string, by authority) {
		cert, key := by.pair(t, name, later)
		write(t, dir+"/cert", cert)
		write(t, dir+"/key", key)
	}
	mustTryAgain(t, open(t, r.URL, files[0]), "certificate required")
	renew("stranger", a)
	s := open(t, r.URL, files...)
	mustTryAgain(t, s, "tls: ")
	for _, name := range []string{"first", "second"} {
		renew(name, clients)
		mustShip(t, s, batch("a", "{}\n"))
		if got := <-names; got != name {
			t.Errorf("got the certificate of %s, want %s", got, name)
		}
		r.CloseClientConnections()
	}
	write(t, dir+"/key", "")
	mustTryAgain(t, s, "cert_file, key_file: tls: failed to find any PEM data in key input")
}
