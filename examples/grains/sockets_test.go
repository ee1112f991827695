// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"testing"

	"github.com/redsift/ingraind/examples/grains/generated/created"
	"github.com/redsift/ingraind/examples/grains/generated/knock"
	"github.com/redsift/ingraind/examples/grains/generated/meet"
	"github.com/redsift/ingraind/runtime"
)

// stream makes two TCP sockets talk, the bytes of which must arrive as they
// were sent. The connection is closed when the test ends.
func stream(t *testing.T, address string) talk {
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
	t.Cleanup(func() { client.Close() })
	server, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	const words = "what was said"
	if _, err := io.WriteString(client, words); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(words))
	if _, err := io.ReadFull(server, got); err != nil || string(got) != words {
		t.Fatalf("got %q, %v, want %q", got, err, words)
	}
	return talk{client.LocalAddr().(*net.TCPAddr).Port, listener.Addr().(*net.TCPAddr).Port, 1}
}

// families are addresses of this machine, and what their family's number is.
var families = map[string]string{"127.0.0.1": "2", "::1": "10"}

func TestConnectionsAreSeenFromBothEnds(t *testing.T) {
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			agent := start(t, runtime.Options{Transport: transport}, meet.New())
			said := map[string]talk{}
			for address := range families {
				said[address] = stream(t, address)
			}
			rows, _ := stop(t, agent)
			for address, family := range families {
				client, server := strconv.Itoa(said[address].client), strconv.Itoa(said[address].server)
				for _, want := range []map[string]string{
					{"role": "CLIENT", "family": family, "local_port": client, "peer_port": server},
					{"role": "SERVER", "family": family, "local_port": server, "peer_port": client},
				} {
					if n := count(rows, "meet", want); n != 1 {
						t.Errorf("got %d events %v, want 1, of %v", n, want, rows)
					}
				}
			}
		})
	}
}

func TestLookupsOfSocketsAreSeenAndLeftAlone(t *testing.T) {
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			agent := start(t, runtime.Options{Transport: transport}, knock.New())
			type knocks struct{ tcp, udp talk }
			said := map[string]knocks{}
			for address := range families {
				said[address] = knocks{stream(t, address), datagrams(t, address)}
			}
			rows, _ := stop(t, agent)
			for address, family := range families {
				for protocol, talk := range map[string]talk{"6": said[address].tcp, "17": said[address].udp} {
					want := map[string]string{
						"family": family, "protocol": protocol, "from_port": fmt.Sprint(talk.client), "to_port": fmt.Sprint(talk.server),
					}
					if n := count(rows, "knock", want); n < talk.messages {
						t.Errorf("got %d events %v, want at least %d, of %v", n, want, talk.messages, rows)
					}
				}
			}
		})
	}
}

func TestANetworkNamespaceThatIsNotThereIsSaid(t *testing.T) {
	k, err := kernel()
	if err != nil {
		t.Fatal(err)
	}
	p := k.Plan(knock.New(), runtime.PlanOptions{On: map[string][]string{"knock.looked": {"ingrain-none"}}})
	const want = "knock: looked cannot run at sk_lookup: sk_lookup: there is no network namespace /run/netns/ingrain-none"
	if p.Err == nil || p.Err.Error() != want {
		t.Errorf("got  %v\nwant %s", p.Err, want)
	}
}

func TestNewSocketsAreSeenWithTheirCause(t *testing.T) {
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			agent := start(t, runtime.Options{Transport: transport}, created.New())
			for address := range families {
				stream(t, address)
				datagrams(t, address)
			}
			rows, _ := stop(t, agent)
			for _, family := range families {
				for _, kind := range []string{"1", "2"} {
					want := map[string]string{"family": family, "kind": kind, "who.pid": fmt.Sprint(os.Getpid())}
					if n := count(rows, "socket", want); n != 2 {
						t.Errorf("got %d events %v, want 2: a client's and a server's", n, want)
					}
				}
			}
		})
	}
}
