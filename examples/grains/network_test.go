// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"bytes"
	"net"
	"testing"
	"time"
)

// talk is what two sockets have said to each other.
type talk struct {
	client, server int // their ports
	messages       int // each way; message n has 100 + n bytes of UDP
}

// datagrams makes two sockets talk, each message of which must arrive once, as
// it was and in its turn: a probe that observes changes nothing.
func datagrams(t *testing.T, address string) talk {
	t.Helper()
	listener, err := net.ListenPacket("udp", net.JoinHostPort(address, "0"))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	client, err := net.Dial("udp", listener.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	end := time.Now().Add(10 * time.Second)
	if err := client.SetDeadline(end); err != nil {
		t.Fatal(err)
	}
	if err := listener.SetDeadline(end); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 2000)
	said := talk{client.LocalAddr().(*net.UDPAddr).Port, listener.LocalAddr().(*net.UDPAddr).Port, 20}
	for i := range said.messages {
		message := bytes.Repeat([]byte{byte(i)}, 100+i)
		if _, err := client.Write(message); err != nil {
			t.Fatal(err)
		}
		n, from, err := listener.ReadFrom(got)
		if err != nil || !bytes.Equal(got[:n], message) {
			t.Fatalf("message %d: got %d bytes, %v, want it as it was sent", i, n, err)
		}
		if _, err := listener.WriteTo(message, from); err != nil {
			t.Fatal(err)
		}
		if n, err := client.Read(got); err != nil || !bytes.Equal(got[:n], message) {
			t.Fatalf("answer %d: got %d bytes, %v, want it as it was sent", i, n, err)
		}
	}
	return said
}
