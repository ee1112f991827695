// SPDX-License-Identifier: Apache-2.0

package http_test

import (
	"context"
	"io"
	"log"
	nethttp "net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/redsift/ingraind/runtime/sinktest"
)

var discard = log.New(io.Discard, "", 0)

func TestMain(m *testing.M) {
	switch os.Getenv("INGRAIND_TEST_CHILD") {
	case "ship":
		os.Exit(shipOnce(os.Getenv("INGRAIND_TEST_URL")))
	}
	sinktest.BeReceiver()
	os.Exit(m.Run())
}

// child is this program, doing something else.
func child(t *testing.T, what string, env ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(self)
	c.Env = append(os.Environ(), append(env, "INGRAIND_TEST_CHILD="+what)...)
	c.Stderr = os.Stderr
	return c
}

// shipOnce ships a batch, and prints what is wrong. The environment's proxy is
// read once in a process.
func shipOnce(url string) int {
	s, err := tryOpen(url)
	if err == nil {
		err = s.Ship(context.Background(), batch("a", "{}\n"))
	}
	if err != nil {
		os.Stdout.WriteString(err.Error())
		return 1
	}
	return 0
}

func TestTheProxyOfTheEnvironmentIsUsed(t *testing.T) {
	proxy := newReceiver(t, (*httptest.Server).Start, func(w nethttp.ResponseWriter, r *nethttp.Request) {
		if r.Header.Get("Proxy-Authorization") != "Basic bWU6czNjcmV0" { // me:s3cret
			w.WriteHeader(nethttp.StatusProxyAuthRequired)
		}
	})
	at := strings.TrimPrefix(proxy.URL, "http://")
	const url = "http://receiver.invalid/rows"
	for _, c := range []struct{ proxy, url, want string }{
		{"http://me:s3cret@" + at, url, ""},
		{"http://me:s3cre7@" + at, url, "POST http://receiver.invalid: 407 Proxy Authentication Required: rows wait until the proxy of the environment takes the name and password in its URL"},
		{"http://me:s3cret@[::1", url, "the proxy of the environment, HTTP_PROXY, is no URL such as http://proxy.example.com:3128"},
	} {
		before := proxy.count()
		out, err := child(t, "ship", "INGRAIND_TEST_URL="+c.url, "HTTP_PROXY="+c.proxy, "http_proxy=", "NO_PROXY=", "no_proxy=").Output()
		if string(out) != c.want || (err == nil) != (c.want == "") {
			t.Errorf("got %q, %v, want %q", out, err, c.want)
		}
		if reached := proxy.count() > before; reached != !strings.Contains(c.proxy, "[") {
			t.Errorf("%s: the proxy was reached: %t", c.proxy, reached)
		}
	}
	if got := proxy.last(t).uri; got != url {
		t.Errorf("the proxy was asked for %s, want %s", got, url)
	}
}
