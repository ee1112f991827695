// SPDX-License-Identifier: Apache-2.0

package model

import "strings"

// initials are the words that Go spells in capitals.
var initials = map[string]string{
	"pid": "PID", "tid": "TID", "ppid": "PPID", "uid": "UID", "gid": "GID", "id": "ID",
	"ip": "IP", "ip4": "IP4", "ip6": "IP6", "mac": "MAC", "tcp": "TCP", "udp": "UDP", "cpu": "CPU", "fd": "FD", "ns": "NS", "tls": "TLS", "dns": "DNS",
	"ttl": "TTL", "sni": "SNI", "alpn": "ALPN",
}

// plain reports whether a C identifier has only the characters that names in
// rows and in Go have; clang also takes $ and letters beyond ASCII.
func plain(name string) bool {
	for i := range len(name) {
		if !identifier(name[i]) {
			return false
		}
	}
	return true
}

func identifier(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// GoName is a name of the YAML as an exported Go name.
func GoName(name string) string { return goName(name) }

// goName is a plain C name as an exported Go name: parent_comm -> ParentComm.
func goName(name string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(name, "_") {
		if word == "" {
			continue
		}
		if capital, ok := initials[strings.ToLower(word)]; ok {
			b.WriteString(capital)
			continue
		}
		b.WriteString(strings.ToUpper(word[:1]))
		b.WriteString(word[1:])
	}
	if b.Len() == 0 || b.String()[0] >= '0' && b.String()[0] <= '9' {
		return "X" + b.String()
	}
	return b.String()
}
