// SPDX-License-Identifier: Apache-2.0

package http_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	nethttp "net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/sinktest"
)

func TestAStatusDecidesWhatBecomesOfABatch(t *testing.T) {
	var code atomic.Int32
	r := newReceiver(t, (*httptest.Server).Start, func(w nethttp.ResponseWriter, _ *nethttp.Request) {
		w.WriteHeader(int(code.Load()))
	})
	s := open(t, r.URL)
	const ok, again, never = "", "again", "never"
	for c := 200; c < 600; c++ {
		want := never
		switch {
		case c < 300:
			want = ok
		case c < 400 || c >= 500:
			want = again
		case c == 401 || c == 403 || c == 407 || c == 408 || c == 409 || c == 425 || c == 429:
			want = again
		}
		code.Store(int32(c))
		err := s.Ship(t.Context(), batch("a", "{}\n"))
		got := ok
		if runtime.IsPermanent(err) {
			got = never
		} else if err != nil {
			got = again
		}
		if got != want {
			t.Errorf("%d: got %v, want %q", c, err, want)
		}
		if err != nil && !strings.HasPrefix(err.Error(), fmt.Sprintf("POST %s: %d", r.URL, c)) {
			t.Errorf("%d: got %v", c, err)
		}
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	date := func(t time.Time) string { return t.UTC().Format(nethttp.TimeFormat) }
	day := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	for _, c := range []struct {
		code            int
		after, date     string
		least, most     time.Duration
		asked, dateless bool
	}{
		{code: 429, after: "7", least: 7 * time.Second, most: 7 * time.Second, asked: true},
		{code: 503, after: " 0 ", asked: true},
		{code: 500, after: "120", least: 2 * time.Minute, most: 2 * time.Minute, asked: true},
		{code: 408, after: "99999999999999999999", least: time.Hour, most: 1<<63 - 1, asked: true},
		{code: 429, after: "9300000000", least: time.Hour, most: 1<<63 - 1, asked: true},
		{code: 429, after: date(day.Add(90 * time.Second)), date: date(day), least: 90 * time.Second, most: 90 * time.Second, asked: true}, // its clock is wrong
		{code: 429, after: date(day), date: date(day.Add(time.Hour)), asked: true},
		{code: 503, after: date(time.Now().Add(60 * time.Second)), dateless: true, least: 55 * time.Second, most: 60 * time.Second, asked: true},
		{code: 429, after: "-1"},
		{code: 429, after: "soon"},
		{code: 429},
	} {
		r := newReceiver(t, (*httptest.Server).Start, func(w nethttp.ResponseWriter, _ *nethttp.Request) {
			if c.after != "" {
				w.Header().Set("Retry-After", c.after)
			}
			if c.date != "" {
				w.Header().Set("Date", c.date)
			}
			if c.dateless {
				w.Header()["Date"] = nil
			}
			w.WriteHeader(c.code)
		})
		err := open(t, r.URL).Ship(t.Context(), batch("a", "{}\n"))
		got, asked := runtime.RetryIn(err)
		if asked != c.asked || got < c.least || got > c.most || err == nil || runtime.IsPermanent(err) {
			t.Errorf("%d, Retry-After %q: got %v, %t, %v, want from %v to %v", c.code, c.after, got, asked, err, c.least, c.most)
		}
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	other := newReceiver(t, (*httptest.Server).Start, nil)
	for _, code := range []int{301, 302, 303, 307, 308} {
		r := newReceiver(t, (*httptest.Server).Start, func(w nethttp.ResponseWriter, r *nethttp.Request) {
			nethttp.Redirect(w, r, other.URL+"/s3cret", code)
		})
		err := open(t, r.URL+"/rows").Ship(t.Context(), batch("a", "{}\n"))
		want := fmt.Sprintf("POST %s: %d %s: it redirects to %s, and a POST does not follow: set url to where it should go", r.URL, code, nethttp.StatusText(code), other.URL)
		if err == nil || err.Error() != want || runtime.IsPermanent(err) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if got := other.count(); got != 0 {
		t.Errorf("the other receiver got %d requests", got)
	}
}

func TestARefusalSaysWhatTheReceiverSaysAndNoSecret(t *testing.T) {
	r := newReceiver(t, (*httptest.Server).Start, func(w nethttp.ResponseWriter, r *nethttp.Request) {
		w.WriteHeader(nethttp.StatusUnprocessableEntity)
		fmt.Fprintf(w, "no\tfield \"a\"\r\nin %s with %s and %s; ", r.RequestURI, r.Header.Get("Authorization"), r.Header.Get("X-Key"))
		fmt.Fprint(w, strings.Repeat("\x1b[1mé", 100_000))
	})
	token, key := write(t, "token", "t0ken-s3cret\n"), write(t, "headers", "X-Key: k3y-s3cret\n")
	err := open(t, r.URL+"/path-s3cret?q=query-s3cret", "token_file="+token, "headers_file="+key).Ship(t.Context(), batch("a", "{}\n"))
	want := fmt.Sprintf("POST %s: 422 Unprocessable Entity: it says %q", r.URL, `no field "a" in ... with ... and ...; [1mé`)
	if err == nil || !runtime.IsPermanent(err) || !strings.HasPrefix(err.Error(), strings.TrimSuffix(want, `"`)) || len(err.Error()) > 350 {
		t.Errorf("got %v, want %s", err, want)
	}
	if err := open(t, strings.Replace(r.URL, "://", "://me:w0rd-s3cret@", 1)).Ship(t.Context(), batch("a", "{}\n")); err == nil || strings.Contains(err.Error(), "w0rd") || strings.Contains(err.Error(), "bWU6") {
		t.Errorf("got %v, want no password", err)
	}
}

func TestATokenThatIsRenewedIsUsedByTheNextAttempt(t *testing.T) {
	r := newReceiver(t, (*httptest.Server).Start, func(w nethttp.ResponseWriter, r *nethttp.Request) {
		if r.Header.Get("Authorization") != "Bearer new" {
			w.WriteHeader(nethttp.StatusUnauthorized)
		}
	})
	token := write(t, "token", "old\n")
	said := make(chan string, 100)
	lanes := runtime.NewLanes(runtime.NewLane(runtime.LaneOptions{Name: "http", Sink: open(t, r.URL, "token_file="+token), Log: func(err error) { said <- err.Error() }}))
	lanes.Add(sinktest.NewNumbers().Row(1))
	lanes.Tick(time.Now().Add(time.Minute))
	want := "ship to http: POST " + r.URL + ": 401 Unauthorized: rows wait until the receiver takes the token in token_file, which is read again for each attempt"
	if got := <-said; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for r.count() < 3 {
		time.Sleep(time.Millisecond)
	}
	if err := os.Remove(token); err != nil { // between two tokens
		t.Fatal(err)
	}
	if got, want := <-said, "ship to http: token_file: stat "+token+": no such file or directory"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	write(t, token, "new")
	if err := lanes.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if b := lanes.Books()[0]; b.Shipped != 1 || b.Retries < 3 {
		t.Errorf("got %+v, want the row shipped", b)
	}
}

func TestNetworkTroubleIsTriedAgainAndAlwaysReadsTheSame(t *testing.T) {
	reset := newReceiver(t, (*httptest.Server).Start, func(w nethttp.ResponseWriter, _ *nethttp.Request) {
		c, _, err := w.(nethttp.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		c.(*net.TCPConn).SetLinger(0)
		c.Close()
	})
	slow := newReceiver(t, (*httptest.Server).Start, func(_ nethttp.ResponseWriter, r *nethttp.Request) { <-r.Context().Done() })
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes connections, as a paused process does
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	for _, c := range []struct{ url, want string }{
		{"http://" + gone.Addr().String(), "dial tcp " + gone.Addr().String() + ": connect: connection refused"},
		{reset.URL, "read tcp " + reset.Listener.Addr().String() + ": read: connection reset by peer"},
		{slow.URL, "no answer within 50ms (timeout)"},
		{"https://" + silent.Addr().String(), "no answer within 50ms (timeout)"},
		{strings.Replace(slow.URL, "http:", "https:", 1), "the receiver does not speak TLS there: is url to begin with http://?"},
	} {
		s := open(t, strings.Replace(c.url, "://", "://me:s3cret@", 1)+"/s3cret", "timeout=50ms")
		for range 3 {
			err := s.Ship(t.Context(), batch("a", "{}\n"))
			if want := "POST " + c.url + ": " + c.want; err == nil || err.Error() != want || runtime.IsPermanent(err) {
				t.Errorf("got %v, want %s", err, want)
			}
		}
	}
	if err := open(t, "http://"+gone.Addr().String()).Ship(t.Context(), batch("a", "{}\n")); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("got %v, want ECONNREFUSED in it", err)
	}
}

func TestShipEndsWithItsContext(t *testing.T) {
	slow := newReceiver(t, (*httptest.Server).Start, func(_ nethttp.ResponseWriter, r *nethttp.Request) { <-r.Context().Done() })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	err := open(t, slow.URL, "timeout=0").Ship(ctx, batch("a", "{}\n"))
	if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took > 2*time.Second {
		t.Errorf("got %v after %v", err, took)
	}
}

func TestMistakesInSettingsAreSaid(t *testing.T) {
	dir := t.TempDir()
	headers, empty, pem := write(t, dir+"/headers", "X-A: 1\ns3cret\n"), write(t, dir+"/empty", "\n"), write(t, dir+"/pem", "nothing\n")
	spaced, token, none := write(t, dir+"/spaced", "Bearer s3cret\n"), write(t, dir+"/token", "t\n"), filepath.Join(dir, "none")
	for _, c := range []struct{ url, settings, want string }{
		{"", "", "url: the http sink needs one, such as https://events.example.com/rows"},
		{"example.com/s3cret", "", "url: this is no URL such as https://events.example.com/rows"},
		{"http://me:s3c ret@x", "", "url: this is no URL such as https://events.example.com/rows"},
		{"https:///s3cret", "", "url: this is no URL such as https://events.example.com/rows"},
		{"ftp://x/s3cret", "", "url: want one that begins with https:// or http://, such as https://events.example.com/rows"},
		{"http://x/#s3cret", "", "url: what follows # is never sent; write # inside of a path as %23"},
		{"http://x", "format=xml", `format: "xml" is neither ndjson nor json`},
		{"http://x", "compression=lz4", `compression: "lz4" is neither none nor gzip`},
		{"http://x", "timeout=long", `timeout: "long" is no duration such as 10s or 24h`},
		{"http://x", "headers=X-A: 1, s3cret", "headers: number 2 is no Name: value; a value with a comma in it goes into headers_file"},
		{"http://x", "headers=X A: s3cret", "headers: number 1 is no Name: value; a value with a comma in it goes into headers_file"},
		{"http://x", "headers=Host: x", "headers: Host is not to be set, for it follows from the batch and the url"},
		{"http://x", "headers=idempotency-key: x", "headers: idempotency-key is not to be set, for it follows from the batch and the url"},
		{"http://x", "headers_file=" + headers, "headers_file: number 2 is no Name: value"},
		{"http://x", "headers_file=" + none, "headers_file: stat " + none + ": no such file or directory"},
		{"http://x", "headers_file=" + dir, "headers_file: " + dir + " is no regular file"},
		{"http://x", "token_file=" + empty, "token_file: want one token in " + empty + ", without spaces, and nothing else"},
		{"http://x", "token_file=" + spaced, "token_file: want one token in " + spaced + ", without spaces, and nothing else"},
		{"http://x", "token_file=" + token + " headers=Authorization:s3cret", "token_file: there is an Authorization among headers: keep one"},
		{"http://me:s3cret@x", "token_file=" + token, "url: it has a name and password, and there is another Authorization: keep one"},
		{"http://x", "ca_file=" + pem, "url: ca_file, cert_file and key_file are for one that begins with https://"},
		{"https://x", "ca_file=" + pem, "ca_file: there is no certificate in " + pem + "; want PEM, which begins with -----BEGIN CERTIFICATE-----"},
		{"https://x", "ca_file=" + none, "ca_file: open " + none + ": no such file or directory"},
		{"https://x", "key_file=" + pem, "cert_file: it and key_file are of use only together"},
		{"https://x", "cert_file=" + pem + " key_file=" + none, "cert_file, key_file: open " + none + ": no such file or directory"},
	} {
		settings := strings.Split(c.settings, " ")
		if strings.HasPrefix(c.settings, "headers=") {
			settings = []string{c.settings}
		}
		if _, err := tryOpen(c.url, settings...); err == nil || err.Error() != c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
	_, err := tryOpen("x", "format=x", "timeout=x")
	if err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("got %v, want three mistakes at once", err)
	}
}
