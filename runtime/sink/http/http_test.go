// SPDX-License-Identifier: Apache-2.0

package http_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	nethttp "net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/sink/http"
	"github.com/redsift/ingraind/runtime/sinktest"
)

// received is a request as a receiver saw it, its body unpacked.
type received struct {
	method, uri, host string
	header            nethttp.Header
	body              string
}

// receiver is a server that keeps what it is sent. answer, when set, answers.
type receiver struct {
	*httptest.Server
	answer func(w nethttp.ResponseWriter, r *nethttp.Request)

	mu   sync.Mutex
	took []received
}

func newReceiver(t *testing.T, start func(*httptest.Server), answer func(nethttp.ResponseWriter, *nethttp.Request)) *receiver {
	t.Helper()
	r := &receiver{answer: answer}
	r.Server = httptest.NewUnstartedServer(r)
	start(r.Server)
	t.Cleanup(r.Close)
	return r
}

func (s *receiver) ServeHTTP(w nethttp.ResponseWriter, r *nethttp.Request) {
	body, err := io.ReadAll(r.Body)
	if err == nil && r.Header.Get("Content-Encoding") == "gzip" {
		var unpack *gzip.Reader
		if unpack, err = gzip.NewReader(bytes.NewReader(body)); err == nil {
			body, err = io.ReadAll(unpack)
		}
	}
	if err != nil {
		w.WriteHeader(nethttp.StatusBadRequest)
		return
	}
	s.mu.Lock()
	s.took = append(s.took, received{r.Method, r.RequestURI, r.Host, r.Header, string(body)})
	s.mu.Unlock()
	if s.answer != nil {
		s.answer(w, r)
	}
}

// last is the request that came last.
func (s *receiver) last(t *testing.T) received {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.took) == 0 {
		t.Fatal("the receiver got nothing")
	}
	return s.took[len(s.took)-1]
}

func (s *receiver) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.took)
}

func tryOpen(url string, settings ...string) (runtime.Sink, error) {
	return http.Part().Open(sinktest.Settings(http.Part(), append([]string{"url=" + url}, settings...)...))
}

func open(t *testing.T, url string, settings ...string) runtime.Sink {
	t.Helper()
	s, err := tryOpen(url, settings...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func batch(name, lines string) *runtime.Batch {
	return &runtime.Batch{Name: name, Rows: strings.Count(lines, "\n"), Bytes: []byte(lines)}
}

func mustShip(t *testing.T, s runtime.Sink, b *runtime.Batch) {
	t.Helper()
	if err := s.Ship(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	if !strings.Contains(name, "/") {
		name = filepath.Join(t.TempDir(), name)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestABatchIsOnePostUnderItsName(t *testing.T) {
	r := newReceiver(t, (*httptest.Server).Start, nil)
	for _, c := range []struct {
		settings             []string
		kind, encoding, want string
	}{
		{nil, "application/x-ndjson", "", "{\"a\":\"x,\\n\"}\n{\"a\":2}\n"},
		{[]string{"compression=gzip"}, "application/x-ndjson", "gzip", "{\"a\":\"x,\\n\"}\n{\"a\":2}\n"},
		{[]string{"format=json"}, "application/json", "", `[{"a":"x,\n"},{"a":2}]`},
		{[]string{"format=json", "compression=gzip"}, "application/json", "gzip", `[{"a":"x,\n"},{"a":2}]`},
	} {
		s := open(t, r.URL+"/rows?of=a", c.settings...)
		for _, name := range []string{"0123456789abcdef0123456789abcdef", "again"} {
			b := batch(name, "{\"a\":\"x,\\n\"}\n{\"a\":2}\n")
			before := string(b.Bytes)
			mustShip(t, s, b)
			got := r.last(t)
			if got.method != "POST" || got.uri != "/rows?of=a" || got.host != strings.TrimPrefix(r.URL, "http://") {
				t.Errorf("%q: got %s %s to %s", c.settings, got.method, got.uri, got.host)
			}
			for header, want := range map[string]string{"Idempotency-Key": name, "Content-Type": c.kind, "Content-Encoding": c.encoding, "User-Agent": "ingraind", "Authorization": ""} {
				if got := got.header.Get(header); got != want {
					t.Errorf("%q: got %s %q, want %q", c.settings, header, got, want)
				}
			}
			if got.body != c.want {
				t.Errorf("%q: got %q, want %q", c.settings, got.body, c.want)
			}
			if string(b.Bytes) != before {
				t.Errorf("%q: the lane's bytes became %q", c.settings, b.Bytes)
			}
		}
	}
}

func TestAnArrayIsJSON(t *testing.T) {
	r := newReceiver(t, (*httptest.Server).Start, nil)
	s := open(t, r.URL, "format=json")
	for rows := range 4 {
		mustShip(t, s, batch("a", strings.Repeat("{\"a\":[1,2]}\n", rows)))
		var got []any
		if err := json.Unmarshal([]byte(r.last(t).body), &got); err != nil || len(got) != rows {
			t.Errorf("%d rows: got %q, %v", rows, r.last(t).body, err)
		}
	}
}

func TestHeadersAreSent(t *testing.T) {
	r := newReceiver(t, (*httptest.Server).Start, nil)
	file := write(t, "headers", "# ours\nX-Api-Key: s3cret, with a comma\n\nUser-Agent: mine/1\nX-Zone: b\n")
	mustShip(t, open(t, r.URL, "headers=X-Team: kernel, X-Zone:a", "headers_file="+file), batch("a", "{}\n"))
	for header, want := range map[string]string{"X-Team": "kernel", "X-Zone": "b", "X-Api-Key": "s3cret, with a comma", "User-Agent": "mine/1", "Content-Type": "application/x-ndjson"} {
		if got := r.last(t).header.Values(header); len(got) != 1 || got[0] != want {
			t.Errorf("got %s %q, want %q", header, got, want)
		}
	}
	mustShip(t, open(t, strings.Replace(r.URL, "://", "://me:p%40ss@", 1)), batch("a", "{}\n"))
	if got, want := r.last(t).header.Get("Authorization"), "Basic bWU6cEBzcw=="; got != want {
		t.Errorf("got Authorization %q, want %q", got, want)
	}
}

func TestEncodingAllocatesNothing(t *testing.T) {
	row, dst, encoding := sinktest.NewNumbers().Row(7), make([]byte, 0, 1<<10), open(t, "http://127.0.0.1:1").Encoding()
	if got := testing.AllocsPerRun(100, func() { dst = encoding.AppendRow(dst[:0], row) }); got != 0 {
		t.Errorf("got %v allocations a row, want 0", got)
	}
	if got, want := string(dst), "{\"n\":7,"; !strings.HasPrefix(got, want) || !strings.HasSuffix(got, "}\n") {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := encoding.Name(); got != "ndjson" {
		t.Errorf("got encoding %s", got)
	}
}

// A kept connection that the server closed is no failure.
func TestAConnectionThatTheServerClosedIsReplaced(t *testing.T) {
	r := newReceiver(t, (*httptest.Server).Start, nil)
	s := open(t, r.URL)
	for range 20 {
		mustShip(t, s, batch("a", "{}\n"))
		r.CloseClientConnections()
	}
	if got := r.count(); got != 20 {
		t.Errorf("got %d requests, want 20", got)
	}
}
