// SPDX-License-Identifier: Apache-2.0

package request

import "testing"

func TestHeadsAreRead(t *testing.T) {
	for head, want := range map[string][3]string{
		"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n":                      {"GET", "/", "example.org"},
		"POST /a?b HTTP/1.0\r\nA: b\r\nhost:example.org:80\r\n\r\nHost: x": {"POST", "/a?b", "example.org:80"},
		"GET / HTTP/1.0\r\n\r\n":                                           {"GET", "/", ""},
		"GET / HTTP/1.1\r\nHost: exam":                                     {"GET", "/", "exam"},
	} {
		var r Request
		if !Head([]byte(head), &r) || [3]string{string(r.Method), string(r.Target), string(r.Host)} != want {
			t.Errorf("%q: got %s %s %s, want %v", head, r.Method, r.Target, r.Host, want)
		}
	}
	for _, other := range []string{"", "GET", "GET /", "HELO example.org\r\n", "GET / HTTP/2\r\n", "\r\n\r\n"} {
		if Head([]byte(other), new(Request)) {
			t.Errorf("%q: got true, want false", other)
		}
	}
}

func FuzzHead(f *testing.F) {
	f.Add([]byte("GET / HTTP/1.1\r\nHost: example.org\r\n\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var r Request
		if Head(b, &r) && len(r.Method)+len(r.Target)+len(r.Host) > len(b) {
			t.Errorf("%q: got %q, %q and %q, more than there is", b, r.Method, r.Target, r.Host)
		}
	})
}
