// SPDX-License-Identifier: Apache-2.0

package kafka_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/redsift/ingraind/runtime"
)

// mustTryAgain wants an error to be told before long, and the batch to wait.
func mustTryAgain(t *testing.T, s runtime.Sink, want string) {
	t.Helper()
	until(t, want, func() bool {
		err := s.Ship(t.Context(), batch(s, "b", 0, 1))
		if err == nil || runtime.IsPermanent(err) || strings.Contains(err.Error(), "s3cret") {
			t.Fatalf("got %v, want %s, to be tried again", err, want)
		}
		return strings.Contains(err.Error(), want)
	})
}

func TestAPasswordThatIsRenewedIsUsedForTheNextConnection(t *testing.T) {
	c, brokers := cluster(t, kfake.EnableSASL(), kfake.Superuser("PLAIN", "me", "s3cret new"), kfake.Superuser("SCRAM-SHA-256", "me", "s3cret new"), kfake.Superuser("SCRAM-SHA-512", "me", "s3cret new"))
	t.Setenv("KAFKA_PASSWORD", "s3cret other") // the file wins
	for _, sasl := range []string{"plain", "scram-sha-256", "SCRAM-SHA-512"} {
		file := write(t, "password", "s3cret old\n")
		s := open(t, "brokers="+brokers, "topic=rows", "timeout=2s", "sasl="+sasl, "user=me", "password_file="+file)
		mustTryAgain(t, s, "a broker ends connections: does it go down, or does it want other tls, sasl or user?") // a real one says why
		write(t, file, "s3cret new\n")
		until(t, "a connection", func() bool { return s.Ship(t.Context(), batch(s, "b", 0, 1)) == nil })
	}
	t.Setenv("KAFKA_PASSWORD", "s3cret new")
	s := open(t, "brokers="+brokers, "topic=rows", "sasl=plain", "user=me")
	ship(t, s, batch(s, "c", 1, 2))

	mustTryAgain(t, open(t, "brokers="+brokers, "topic=rows", "timeout=2s"), "a broker ends connections")

	file := write(t, "password", "s3cret new\n")
	s = open(t, "brokers="+brokers, "topic=rows", "timeout=2s", "sasl=plain", "user=me", "password_file="+file)
	write(t, file, "")
	mustTryAgain(t, s, "password_file: want one line in "+file+", the password")

	// What a broker says is in no message: it may repeat the password.
	c.ControlKey(int16(kmsg.SASLAuthenticate), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		resp := req.ResponseKind().(*kmsg.SASLAuthenticateResponse)
		resp.ErrorCode = kerr.SaslAuthenticationFailed.Code
		resp.ErrorMessage = kmsg.StringPtr(fmt.Sprintf("%q is wrong", req.(*kmsg.SASLAuthenticateRequest).SASLAuthBytes))
		return resp, nil, true
	})
	s = open(t, "brokers="+brokers, "topic=rows", "timeout=2s", "sasl=plain", "user=me")
	mustTryAgain(t, s, "SASL_AUTHENTICATION_FAILED: rows wait until the brokers take user and password")
}

func TestOnlyBrokersThatAreTrustedGetRows(t *testing.T) {
	a, other := newAuthority(t), newAuthority(t)
	cert, key := a.pair(t, "broker")
	own, err := tls.X509KeyPair([]byte(cert), []byte(key))
	if err != nil {
		t.Fatal(err)
	}
	clients := x509.NewCertPool()
	clients.AddCert(a.cert)
	_, brokers := cluster(t, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{own}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients}))
	ca := "ca_file=" + write(t, "ca", a.pem)
	dir := t.TempDir()
	cert, key = a.pair(t, "agent")
	pair := []string{"cert_file=" + write(t, filepath.Join(dir, "cert"), cert), "key_file=" + write(t, filepath.Join(dir, "key"), key)}
	at := []string{"brokers=" + brokers, "topic=rows", "timeout=2s", "tls=true"}

	mustTryAgain(t, open(t, at...), "certificate signed by unknown authority")
	mustTryAgain(t, open(t, append(at, "ca_file="+write(t, "ca", other.pem))...), "certificate signed by unknown authority")
	mustTryAgain(t, open(t, append(at, ca)...), "certificate required")
	s := open(t, append(append(at, ca), pair...)...)
	ship(t, s, batch(s, "b", 0, 1))
	mustTryAgain(t, open(t, at[0], "topic=rows", "timeout=2s"), "a broker ends connections")
}

// authority signs certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  string
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	a := authority{key: newKey(t), cert: &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}}
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
func (a authority) pair(t *testing.T, name string) (cert, key string) {
	t.Helper()
	private := newKey(t)
	_, cert = a.sign(t, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, private)
	der, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return cert, string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}))
}
