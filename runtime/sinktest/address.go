// SPDX-License-Identifier: Apache-2.0

package sinktest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
)

// FreeAddress is one of 127.0.0.1 that nobody has, of UDP and TCP. Its port is
// below those that the kernel gives to connections, one of which could have it
// while the server that it is for is away.
func FreeAddress(t testing.TB) string {
	t.Helper()
	for range 100 {
		address := fmt.Sprintf("127.0.0.1:%d", 20000+rand.IntN(12000))
		if l, err := net.Listen("tcp", address); err == nil {
			l.Close()
			if p, err := net.ListenPacket("udp", address); err == nil {
				p.Close()
				return address
			}
		}
	}
	t.Fatal("found no free port")
	return ""
}

// Listening reports whether somebody does at an address.
func Listening(address string) bool {
	conn, err := net.Dial("tcp", address)
	if err == nil {
		conn.Close()
	}
	return err == nil
}
