// SPDX-License-Identifier: Apache-2.0

// Package request reads the head of an HTTP/1 request (RFC 9112).
package request

import "bytes"

// Request is what the head says.
type Request struct {
	Method, Target []byte
	Host           []byte // nil when no line of the head names one
}

// Head reads as much of a head as there is in b; false when it is none. What it
// gives are parts of b.
func Head(b []byte, to *Request) bool {
	line, rest, _ := bytes.Cut(b, []byte("\r\n"))
	method, line, _ := bytes.Cut(line, []byte(" "))
	target, version, _ := bytes.Cut(line, []byte(" "))
	if !bytes.HasPrefix(version, []byte("HTTP/1.")) {
		return false
	}
	*to = Request{Method: method, Target: target}
	for len(rest) > 0 {
		line, rest, _ = bytes.Cut(rest, []byte("\r\n"))
		name, value, _ := bytes.Cut(line, []byte(":"))
		if len(line) == 0 {
			break // the head ends
		}
		if bytes.EqualFold(name, []byte("Host")) {
			to.Host = bytes.TrimSpace(value)
		}
	}
	return true
}
