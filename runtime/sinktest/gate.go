// SPDX-License-Identifier: Apache-2.0

package sinktest

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Gate stands before a server that speaks HTTP, of version 1 or 2, and does to
// each request what it is told. A sink knows the gate's address alone.
type Gate struct {
	Address string // HOST:PORT

	t      testing.TB
	config *tls.Config
	proxy  *httputil.ReverseProxy
	deed   atomic.Pointer[Deed]
	met    atomic.Int64 // requests that met it

	mu     sync.Mutex
	server *http.Server // nil: nobody listens
}

// Deed is what becomes of a request; serve is the server behind the gate.
type Deed func(w http.ResponseWriter, r *http.Request, serve http.Handler)

// NewGate is one that lets everything pass, before a server at an address; with
// a certificate, both speak TLS.
func NewGate(t testing.TB, target string, certificate ...tls.Certificate) *Gate {
	t.Helper()
	transport := &http.Transport{Protocols: new(http.Protocols), DisableCompression: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	to := &url.URL{Scheme: "http", Host: target}
	g := &Gate{t: t, Address: FreeAddress(t)}
	if len(certificate) > 0 {
		g.config, to.Scheme = &tls.Config{Certificates: certificate}, "https"
	}
	http2 := &http.Transport{Protocols: new(http.Protocols)}
	http2.Protocols.SetUnencryptedHTTP2(true)
	transport.Protocols.SetHTTP1(true)
	g.proxy = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Host = r.In.Host // which S3 signs
		},
		Transport: byVersion{transport, http2},
		// A server that is away is a connection that breaks.
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
		ErrorLog:     log.New(io.Discard, "", 0),
	}
	g.Open()
	t.Cleanup(g.Shut)
	return g
}

// byVersion sends what came over HTTP/2 by that.
type byVersion struct{ one, two http.RoundTripper }

func (b byVersion) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.ProtoMajor == 2 {
		return b.two.RoundTrip(r)
	}
	return b.one.RoundTrip(r)
}

// Do does deed to all requests from now on; nil lets them pass.
func (g *Gate) Do(deed Deed) {
	g.met.Store(0)
	if deed == nil {
		g.deed.Store(nil)
		return
	}
	g.deed.Store(&deed)
}

// Met is how many requests met the deed.
func (g *Gate) Met() int { return int(g.met.Load()) }

func (g *Gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	deed := g.deed.Load()
	if deed == nil {
		g.proxy.ServeHTTP(w, r)
		return
	}
	g.met.Add(1)
	(*deed)(w, r, g.proxy)
}

// Open listens.
func (g *Gate) Open() {
	g.t.Helper()
	l, err := net.Listen("tcp", g.Address)
	if err != nil {
		g.t.Fatal(err)
	}
	s := &http.Server{Handler: g, ErrorLog: log.New(io.Discard, "", 0), Protocols: new(http.Protocols)}
	s.Protocols.SetHTTP1(true)
	if g.config != nil {
		l = tls.NewListener(l, g.config)
	} else {
		s.Protocols.SetUnencryptedHTTP2(true)
	}
	g.mu.Lock()
	g.server = s
	g.mu.Unlock()
	go func() { _ = s.Serve(l) }()
}

// Shut refuses connections and breaks those that there are.
func (g *Gate) Shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.server != nil {
		_ = g.server.Close()
		g.server = nil
	}
}

// Fault is one in which the gate does deed to all requests.
func (g *Gate) Fault(name, said string, deed Deed) Fault {
	return Fault{
		Name: name, Said: said, End: func() { g.Do(nil) },
		Begin: func() { g.Do(deed) },
		Met:   func() bool { return g.Met() >= 2 },
	}
}

// Away is the fault of a server that is killed, and started later.
func (g *Gate) Away(kill, start func()) Fault {
	return Fault{
		Name: "a server that is killed", Said: "connection refused",
		Begin: func() { kill(); g.Shut() },
		End:   func() { start(); g.Open() },
	}
}

// Refuse answers with a status and headers, "Retry-After", "1".
func Refuse(status int, header ...string) Deed {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		_, _ = io.Copy(io.Discard, r.Body)
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
	}
}

// ResetInBody breaks the connection when some of the body has come.
func ResetInBody(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
	_, _ = io.CopyN(io.Discard, r.Body, 1000)
	panic(http.ErrAbortHandler)
}

// LoseAnswer has the server take the request, and breaks the connection instead
// of answering.
func LoseAnswer(_ http.ResponseWriter, r *http.Request, serve http.Handler) {
	serve.ServeHTTP(unheard{http.Header{}}, r)
	panic(http.ErrAbortHandler)
}

// unheard is where an answer goes that nobody gets.
type unheard struct{ header http.Header }

func (u unheard) Header() http.Header         { return u.header }
func (u unheard) Write(b []byte) (int, error) { return len(b), nil }
func (u unheard) WriteHeader(int)             {}

// Slow lets so many bytes of a body pass in a second.
func Slow(rate int) Deed {
	return func(w http.ResponseWriter, r *http.Request, serve http.Handler) {
		r.Body = slowly{r.Body, r.Context(), rate}
		serve.ServeHTTP(w, r)
	}
}

type slowly struct {
	io.ReadCloser
	ctx  context.Context
	rate int
}

func (s slowly) Read(b []byte) (int, error) {
	n, err := s.ReadCloser.Read(b[:min(len(b), 8<<10)])
	select {
	case <-s.ctx.Done():
	case <-time.After(time.Duration(n) * time.Second / time.Duration(s.rate)):
	}
	return n, err
}

// Faults are all that a gate can do to a sink that is answered by HTTP. busy is
// the status of a server that cannot now; said is what the lane says of one.
func (g *Gate) Faults(busy int, said func(status int) string) []Fault {
	status := func(code int, header ...string) Fault {
		return g.Fault(http.StatusText(code), said(code), Refuse(code, header...))
	}
	slow := g.Fault("a slow network", "", Slow(1<<20))
	slow.Mild = true
	return []Fault{
		status(http.StatusForbidden), status(http.StatusTooManyRequests, "Retry-After", "1"), status(busy),
		g.Fault("resets in the body", "", ResetInBody), g.Fault("lost answers", "", LoseAnswer), slow,
	}
}
