// SPDX-License-Identifier: Apache-2.0

// Package syslog is the sink that sends each row as a message of RFC 5424, to a
// socket of this machine, or over UDP, TCP or TLS.
//
// Syslog has no acknowledgement: docs/sinks/syslog.md says what is known of a
// message that was sent, and what is not.
package syslog

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/sink/internal/remote"
)

// Part is the sink "syslog".
func Part() runtime.Part {
	return runtime.Part{
		Name: "syslog",
		Help: "Sends each row as a syslog message (RFC 5424).",
		Settings: append([]runtime.Setting{
			{Name: "address", Default: "unix:///dev/log", Help: "unix:///PATH (datagrams), unix-stream:///PATH, udp://HOST:PORT, tcp://HOST:PORT or tls://HOST:PORT."},
			{Name: "facility", Default: "daemon", Help: "What kind of program speaks, as syslog names it: daemon, user, local0 to local7."},
			{Name: "severity", Default: "info", Help: "emerg, alert, crit, err, warning, notice, info or debug."},
			{Name: "app_name", Default: "ingraind", Help: "APP-NAME of the messages."},
			{Name: "hostname", Help: "HOSTNAME of the messages; the machine's when empty."},
			{Name: "max_size", Default: "8KiB", Help: "How long a message may be; the end of a longer one is cut, and that is said in it."},
		}, remote.TrustSettings()...),
		Open: open,
	}
}

var (
	facilities = []string{"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
		"ntp", "security", "console", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"}
	severities = []string{"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"}
)

// The bounds of max_size. The lower one is what each receiver takes (RFC 5425);
// the upper ones are what IPv4 carries in a datagram, and what is bearable.
const (
	leastSize    = 2048
	mostDatagram = 65507
	mostSize     = 1 << 20
)

func open(s runtime.Settings) (runtime.Sink, error) {
	network, address, addressErr := parseAddress(s.Text("address"))
	facility, severity := slices.Index(facilities, s.Text("facility")), slices.Index(severities, s.Text("severity"))
	var facilityErr, severityErr, hostErr error
	if facility < 0 {
		facilityErr = fmt.Errorf("facility: %q is none of %s", s.Text("facility"), strings.Join(facilities, ", "))
	}
	if severity < 0 {
		severityErr = fmt.Errorf("severity: %q is none of %s", s.Text("severity"), strings.Join(severities, ", "))
	}
	appErr := checkName("app_name", s.Text("app_name"), 48)
	host := s.Text("hostname")
	if host == "" {
		name, err := os.Hostname()
		if host = string(appendName(nil, name, 255)); err != nil || host == "" {
			host = "-"
		}
	} else {
		hostErr = checkName("hostname", host, 255)
	}
	size, sizeErr := s.Bytes("max_size")
	most := int64(mostSize)
	if network == "udp" || network == "unixgram" {
		most = mostDatagram
	}
	if sizeErr == nil && (size < leastSize || size > most) {
		sizeErr = fmt.Errorf("max_size: want from %d to %d bytes for that address", leastSize, most)
	}
	trust, trustErr := remote.Trust(s)
	if network != "tls" && remote.AsksTrust(s) {
		trustErr = errors.New("address: ca_file, cert_file and key_file are for one that begins with tls://")
	}
	if err := errors.Join(addressErr, facilityErr, severityErr, appErr, hostErr, sizeErr, trustErr); err != nil {
		return nil, err
	}
	e := newEncoding(facility*8+severity, host, s.Text("app_name"), int(size))
	if network == "udp" || network == "unixgram" {
		return &datagrams{network: network, address: address, encoding: e}, nil
	}
	var config *tls.Config
	if network == "tls" {
		network, config = "tcp", trust
		config.ServerName, _, _ = net.SplitHostPort(address)
	}
	return &stream{network: network, address: address, trust: config, encoding: e}, nil
}

// parseAddress takes an address apart. Whether the host has one is found out
// when there is something to send.
func parseAddress(text string) (network, address string, err error) {
	scheme, rest, _ := strings.Cut(text, "://")
	switch scheme {
	case "unix", "unix-stream":
		if !filepath.IsAbs(rest) {
			return "", "", fmt.Errorf("address: %q is no socket such as unix:///dev/log: want the whole path", text)
		}
		if scheme == "unix" {
			return "unixgram", rest, nil
		}
		return "unix", rest, nil
	case "udp", "tcp", "tls":
		host, port, err := net.SplitHostPort(rest)
		n, portErr := strconv.ParseUint(port, 10, 16)
		if err == nil && portErr == nil && host != "" && n != 0 {
			return scheme, rest, nil
		}
	}
	return "", "", fmt.Errorf("address: %q is neither a socket, such as unix:///dev/log, nor a server, such as udp://127.0.0.1:514, tcp://[::1]:601 or tls://logs.example.com:6514", text)
}

func checkName(setting, text string, most int) error {
	if text == "" || string(appendName(nil, text, most)) != text {
		return fmt.Errorf("%s: %q is no name of up to %d characters of ASCII without spaces", setting, text, most)
	}
	return nil
}
