// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/redsift/ingraind/examples/grains/generated/request"
	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/runtimetest"
)

// listened accepts one connection and returns what was sent through it.
func listened(t *testing.T, address, said string) (port int) {
	t.Helper()
	listener, err := net.Listen("tcp", net.JoinHostPort(address, "0"))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	client, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	server, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	if _, err := io.WriteString(client, said); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(said))
	if _, err := io.ReadFull(server, got); err != nil || string(got) != said {
		t.Fatalf("got %q, %v, want %q", got, err, said)
	}
	return listener.Addr().(*net.TCPAddr).Port
}

const null = "<nil>" // as fmt prints it

func TestAFunctionOfGoReadsWhatAProgramSends(t *testing.T) {
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			recording := &bytes.Buffer{}
			agent := start(t, runtime.Options{Transport: transport, Record: recording}, request.New())
			var ports []int
			for address := range families {
				ports = append(ports,
					listened(t, address, "GET /a?b HTTP/1.1\r\nHost: one.example\r\nAccept: */*\r\n\r\n"),
					listened(t, address, "POST / HTTP/1.0\r\n\r\n"),
					listened(t, address, "GET /of HTTP/0.9, which is another language\r\n"),
					listened(t, address, "hello"))
			}
			rows, ledger := stop(t, agent)
			check := func(what string, count func(want map[string]string) int) {
				for i, port := range ports {
					want := []map[string]string{
						{"method": "GET", "target": "/a?b", "host": "one.example"},
						{"method": "POST", "target": "/", "host": null},
						{"method": null, "target": null, "host": null}, // could not be read
						nil, // never left the kernel
					}[i%4]
					if want == nil {
						if n := count(map[string]string{"to_port": fmt.Sprint(port)}); n != 0 {
							t.Errorf("%s: got %d events of what is no request, want 0", what, n)
						}
						continue
					}
					want["to_port"] = fmt.Sprint(port)
					if n := count(want); n != 1 {
						t.Errorf("%s: got %d events %v, want 1", what, n, want)
					}
				}
			}
			check("run", func(want map[string]string) int { return count(rows, "request", want) })
			if got := ledger.Events[0].Unparsed; got < 2 {
				t.Errorf("got %d unparsed, want 2", got)
			}

			again, books := runtimetest.Replay(t, recording, request.New())
			check("replay", func(want map[string]string) int { return count(again, "request", want) })
			if got, want := books.Events[0].Unparsed, ledger.Events[0].Unparsed; got != want {
				t.Errorf("got %d unparsed in the replay, want %d", got, want)
			}
			for _, r := range again {
				if r.Text("table") == "hosts" && r.Text("host") == "one.example" && r.Int("requests") != 2 {
					t.Errorf("got %v, want 2 requests", r)
				}
			}
		})
	}
}
