// SPDX-License-Identifier: Apache-2.0

// Package journald is the sink that writes each row to systemd's journal, with
// the row's fields as fields of the entry: docs/sinks/journald.md.
package journald

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/redsift/ingraind/runtime"
)

// Part is the sink "journald".
func Part() runtime.Part {
	return runtime.Part{
		Name: "journald",
		Help: "Writes each row to systemd's journal, its fields as the entry's.",
		Settings: []runtime.Setting{
			{Name: "socket", Default: "/run/systemd/journal/socket", Help: "The journal's socket."},
			{Name: "identifier", Default: "ingraind", Help: "SYSLOG_IDENTIFIER of the entries: journalctl -t finds them by it."},
			{Name: "priority", Default: "info", Help: "emerg, alert, crit, err, warning, notice, info or debug."},
		},
		Open: open,
	}
}

var priorities = []string{"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"}

func open(s runtime.Settings) (runtime.Sink, error) {
	socket, identifier, priority := s.Text("socket"), s.Text("identifier"), slices.Index(priorities, s.Text("priority"))
	var socketErr, identifierErr, priorityErr error
	if !filepath.IsAbs(socket) {
		socketErr = fmt.Errorf("socket: %q is no whole path such as /run/systemd/journal/socket", socket)
	}
	if identifier == "" || len(identifier) > 64 || strings.ContainsFunc(identifier, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		identifierErr = fmt.Errorf("identifier: %q is no name of up to 64 characters of ASCII without spaces", identifier)
	}
	if priority < 0 {
		priorityErr = fmt.Errorf("priority: %q is none of %s", s.Text("priority"), strings.Join(priorities, ", "))
	}
	if err := errors.Join(socketErr, identifierErr, priorityErr); err != nil {
		return nil, err
	}
	return &sender{socket: socket, encoding: newEncoding(identifier, priority)}, nil
}
