// SPDX-License-Identifier: Apache-2.0

package syslog_test

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// message is what a strict reader of RFC 5424, section 6, finds in one.
type message struct {
	pri                 int
	host, app, proc, id string
	time                time.Time
	data                map[string]map[string]string
	msg                 string
}

var header = regexp.MustCompile(`^<(0|[1-9][0-9]{0,2})>1 ([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?Z) ([!-~]{1,255}) ([!-~]{1,48}) ([!-~]{1,128}) ([!-~]{1,32}) `)

var (
	elementName = regexp.MustCompile(`^\[([!#-<>-\\^-~]{1,32})`)
	paramName   = regexp.MustCompile(`^ ([!#-<>-\\^-~]{1,32})="`)
)

func parse(text string) (m message, err error) {
	h := header.FindStringSubmatch(text)
	if h == nil {
		return m, fmt.Errorf("no header: %q", text)
	}
	m.pri, _ = strconv.Atoi(h[1])
	if m.pri > 191 {
		return m, fmt.Errorf("PRI %d", m.pri)
	}
	if m.time, err = time.Parse(time.RFC3339Nano, h[2]); err != nil {
		return m, err
	}
	m.host, m.app, m.proc, m.id = h[3], h[4], h[5], h[6]
	rest := text[len(h[0]):]
	m.data = map[string]map[string]string{}
	if !strings.HasPrefix(rest, "[") {
		return m, fmt.Errorf("no structured data: %q", rest)
	}
	for strings.HasPrefix(rest, "[") {
		e := elementName.FindStringSubmatch(rest)
		if e == nil || m.data[e[1]] != nil {
			return m, fmt.Errorf("no element, or one again: %q", rest)
		}
		m.data[e[1]] = map[string]string{}
		rest = rest[len(e[0]):]
		for strings.HasPrefix(rest, " ") {
			p := paramName.FindStringSubmatch(rest)
			if p == nil {
				return m, fmt.Errorf("no parameter: %q", rest)
			}
			var value string
			if value, rest, err = quoted(rest[len(p[0]):]); err != nil {
				return m, err
			}
			m.data[e[1]][p[1]] = value
		}
		if !strings.HasPrefix(rest, "]") {
			return m, fmt.Errorf("an element without an end: %q", rest)
		}
		rest = rest[1:]
	}
	if rest != "" && rest[0] != ' ' {
		return m, fmt.Errorf("no space before MSG: %q", rest)
	}
	m.msg = strings.TrimPrefix(rest, " ")
	return m, nil
}

// quoted reads a PARAM-VALUE up to its quote.
func quoted(text string) (value, rest string, err error) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && i+1 < len(text) && strings.IndexByte(`"\]`, text[i+1]) >= 0:
			i++
			b.WriteByte(text[i])
		case c == '"':
			if !utf8.ValidString(b.String()) {
				return "", "", fmt.Errorf("no UTF-8: %q", b.String())
			}
			return b.String(), text[i+1:], nil
		case c == ']':
			return "", "", errors.New("a bare ] in a value")
		default:
			b.WriteByte(c)
		}
	}
	return "", "", errors.New("a value without an end")
}
