// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"fmt"
	"testing"

	"github.com/redsift/ingraind/examples/grains/generated/arrival"
	"github.com/redsift/ingraind/examples/grains/generated/overhear"
	"github.com/redsift/ingraind/examples/grains/generated/queue"
	"github.com/redsift/ingraind/runtime"
)

// heard is a grain that sees packets of an interface by one mechanism, and how
// often it sees each that goes over the loopback interface.
type heard struct {
	mechanism runtime.Mechanism
	grain     func() *runtime.Grain
	probe     string
	want      map[string]string // beside ports and size
	times     int
}

var hearings = []heard{
	{runtime.XDP, arrival.New, "arrived", map[string]string{"interface": "1"}, 1},
	{runtime.TCX, queue.New, "came", map[string]string{"direction": "IN", "interface": "1"}, 1},
	{runtime.TCX, queue.New, "went", map[string]string{"direction": "OUT", "interface": "1"}, 1},
	{runtime.Clsact, queue.New, "came", map[string]string{"direction": "IN", "interface": "1"}, 1},
	{runtime.Clsact, queue.New, "went", map[string]string{"direction": "OUT", "interface": "1"}, 1},
	{runtime.Socket, overhear.New, "heard", nil, 2}, // once when it is sent, once when it is received
}

func TestAnInterfacesPacketsAreSeenAndLeftAlone(t *testing.T) {
	for _, h := range hearings {
		t.Run(string(h.mechanism)+" "+h.probe, func(t *testing.T) {
			g := by(h.mechanism, alone(h.grain(), h.probe))
			if lacking(t, h.mechanism, g) {
				return
			}
			for _, transport := range transports {
				for _, address := range []string{"127.0.0.1", "::1"} {
					t.Run(transport+" "+address, func(t *testing.T) {
						agent := start(t, runtime.Options{Transport: transport, On: map[string][]string{g.Name + "." + h.probe: {"lo"}}}, g)
						said := datagrams(t, address)
						rows, _ := stop(t, agent)
						head := 14 + 20 + 8 // Ethernet, IP, UDP
						if address == "::1" {
							head += 20
						}
						for i := range said.messages {
							for _, ports := range [][2]int{{said.client, said.server}, {said.server, said.client}} {
								want := map[string]string{
									"from": address, "to": address, "protocol": "17", "size": fmt.Sprint(head + 100 + i),
									"from_port": fmt.Sprint(ports[0]), "to_port": fmt.Sprint(ports[1]),
								}
								for member, value := range h.want {
									want[member] = value
								}
								if n := count(rows, "packet", want); n != h.times {
									t.Fatalf("message %d: got %d events %v, want %d, of %v", i, n, want, h.times, rows[:min(len(rows), 8)])
								}
							}
						}
					})
				}
			}
		})
	}
}

func TestAnInterfaceThatIsNotThereIsSaid(t *testing.T) {
	k, err := kernel()
	if err != nil {
		t.Fatal(err)
	}
	p := k.Plan(arrival.New(), runtime.PlanOptions{On: map[string][]string{"arrival.arrived": {"ingrain5", "none"}}})
	want := "arrival: arrived cannot run at xdp: xdp: no interface is called ingrain5 or none; there are "
	if p.Err == nil || len(p.Err.Error()) <= len(want) || p.Err.Error()[:len(want)] != want {
		t.Errorf("got  %v\nwant %s...", p.Err, want)
	}
}
