// SPDX-License-Identifier: Apache-2.0

// Package statsd is the sink that sends what rows count to a statsd server, in
// datagrams: docs/sinks/statsd.md says which metrics become of a row.
//
// A datagram that was sent need not have arrived. What this sink can know it
// does: a UDP port of this machine that nobody has open refuses at once, and a
// unix socket takes a datagram or does not; such a batch is sent again from the
// datagram that was refused.
package statsd

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/redsift/ingraind/runtime"
)

// Part is the sink "statsd".
func Part() runtime.Part {
	return runtime.Part{
		Name: "statsd",
		Help: "Sends counters and gauges, of tables and of events, to a statsd server.",
		Settings: []runtime.Setting{
			{Name: "address", Default: "127.0.0.1:8125", Help: "HOST:PORT for UDP, or unix:///PATH for a unix datagram socket."},
			{Name: "dialect", Default: plain, Help: "statsd: keys are parts of names. dogstatsd: keys are tags."},
			{Name: "prefix", Default: "ingraind.metrics", Help: "What all names begin with; may be empty."},
			{Name: "mtu", Default: "1432", Help: "How many bytes a datagram has at most: what the network takes in one piece."},
		},
		Variables: []runtime.Variable{
			{Name: "STATSD_HOST", Help: "Turns the sink statsd on, and is its server's host."},
			{Name: "STATSD_PORT", Help: "The port of that host (default 8125)."},
		},
		Environ: environ,
		Open:    open,
	}
}

// environ is what the variables of the ingraind of 2018 ask for.
func environ(lookup func(name string) string) (runtime.Settings, bool) {
	host, port := lookup("STATSD_HOST"), lookup("STATSD_PORT")
	if host == "" && port == "" {
		return nil, false
	}
	on := host != ""
	if host == "" {
		host = "127.0.0.1"
	}
	if port == "" {
		port = "8125"
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return runtime.Settings{"address": net.JoinHostPort(host, port)}, on
}

// The bounds of mtu. The lower one has room for a name of the grains; the
// upper one is what IPv4 can carry in a UDP datagram.
const (
	leastMTU = 256
	mostMTU  = 65507
)

func open(s runtime.Settings) (runtime.Sink, error) {
	network, address, addressErr := parseAddress(s.Text("address"))
	dialect := s.Text("dialect")
	var dialectErr, prefixErr error
	if dialect != plain && dialect != dog {
		dialectErr = fmt.Errorf("dialect: %q is neither %s nor %s", dialect, plain, dog)
	}
	prefix := s.Text("prefix")
	if !isName(prefix) {
		prefixErr = fmt.Errorf("prefix: %q is no name such as ingraind.metrics: up to 128 letters, digits, _ and -, with single dots between", prefix)
	}
	mtu, mtuErr := strconv.Atoi(s.Text("mtu"))
	if mtuErr != nil || mtu < leastMTU || mtu > mostMTU {
		mtuErr = fmt.Errorf("mtu: %q is no number of bytes from %d to %d", s.Text("mtu"), leastMTU, mostMTU)
	}
	if err := errors.Join(addressErr, dialectErr, prefixErr, mtuErr); err != nil {
		return nil, err
	}
	return &sender{
		network: network, address: address, mtu: mtu,
		encoding: newEncoding(dialect, prefix),
	}, nil
}

// parseAddress takes an address apart. Whether the host has one is found out
// when there is something to send.
func parseAddress(text string) (network, address string, err error) {
	if path, ok := strings.CutPrefix(text, "unix://"); ok {
		if !filepath.IsAbs(path) {
			return "", "", fmt.Errorf("address: %q is no socket such as unix:///var/run/statsd.sock: want the whole path", text)
		}
		return "unixgram", path, nil
	}
	host, port, err := net.SplitHostPort(text)
	n, portErr := strconv.ParseUint(port, 10, 16)
	if err != nil || host == "" || portErr != nil || n == 0 {
		return "", "", fmt.Errorf("address: %q is neither HOST:PORT, such as 127.0.0.1:8125 or [::1]:8125, nor a socket, such as unix:///var/run/statsd.sock", text)
	}
	return "udp", text, nil
}

// isName reports whether text can begin a name.
func isName(text string) bool {
	for i := range len(text) {
		if text[i] != '.' && !inName[text[i]] {
			return false
		}
	}
	return len(text) <= 128 && !strings.Contains("."+text+".", "..") || text == ""
}
