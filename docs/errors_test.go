// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// errorsPage has cause and fix for each message that a user can meet.
const errorsPage = "docs/errors.md"

// leads are the messages that an item of a list begins with.
var leads = regexp.MustCompile("(?m)^- (`[^`\n]+`(?:,\\s+`[^`\n]+`)*): ")

// entries are the messages that the page explains.
func entries(page document) []pattern {
	var all []pattern
	for _, lead := range leads.FindAllStringSubmatchIndex(page.prose, -1) {
		where := fmt.Sprintf("%s:%d", page.name, 1+strings.Count(page.prose[:lead[0]], "\n"))
		for _, span := range spansOf(page.prose[lead[2]:lead[3]]) {
			all = append(all, newPattern(where, span, opened(span)))
		}
	}
	return all
}

// own is the prose of a page without the messages that it explains.
func (d document) own() string {
	if d.name != errorsPage {
		return d.prose
	}
	return leads.ReplaceAllString(d.prose, "- ")
}

// opened is a message of the page with what varies in it left open.
func opened(message string) string {
	return regexp.MustCompile(`\.\.\.|[A-Za-z0-9]+`).ReplaceAllStringFunc(message, func(word string) string {
		if word == "..." || word[0] >= 'A' && word == strings.ToUpper(word) {
			return string(anything)
		}
		return word
	})
}

// notAUsers are messages that the page leaves out, by the reason why no user meets them.
var notAUsers = map[string][]string{
	"the generator makes the object and the Go, and they fit": {
		"read object: *", "its object has no program *", "its object has no map *", "variable * of its object has * bytes, not *",
		"variable * of its object: * has no contents", "variable * of its object is not within *",
		"grain *: it has no object", "grain *: load object: *", "grain *: its object has no BTF", "grain *: gather BTF: *", "grain *: write BTF: *",
		"event *.*: find struct _data_*: *", "read the object of grain * for *: *", "read the BTF of a compiled object: *", "print generated Go: *",
	},
	"the generator has refused it": {
		"there is no result at the entry", "the argument * is gone when * returns", "* is not BINARY:SYMBOL", "* is not BINARY:PROVIDER:PROBE",
		"* is neither an absolute path nor the name of a library", "* has no argument *; they are arg1, arg2 and so on", "* parameters; a probe has at most *",
		"it has no cells, and needs one for its events", "its cells have * bytes, more than the * that a kernel keeps for each CPU", "it has no keys",
		"* keys for each of * CPUs are more than an array has", "its keys have * bytes; a multiple of 8 is wanted, up to *",
	},
	"the agent never asks for it": {
		"no such mechanism", "no such mechanism: *", "not to be used", "no param *", "a spool needs a folder", "* CPUs are none",
		"nobody said how its cells and keys are read", "its cells are for * CPUs, and * may exist", "map the ring buffer: * is none",
		"operands of * are not understood",
	},
	"no agent holds, and no program sends, so much": {
		"record: * grains are more than *", "record: the description of grain * has * bytes, more than *", "record: a record of * bytes is longer than *",
	},
	"the code asks what it is, and says something else or nothing": {
		"nobody reads the output", "no atomics that return the old value: *", "no answer in time", "this is no gRPC message", "damaged",
		"Syntax error: ", "mismatched input '<EOF>'", "unsupported syntax", "reserved identifier",
	},
}

func TestEveryMessageHasItsCauseAndFix(t *testing.T) {
	page := entries(read(t, errorsPage))
	left := map[string]bool{}
	for _, says := range notAUsers {
		for _, raw := range says {
			left[raw] = true
		}
	}
	met := map[string]bool{}
	for _, m := range messages(t) {
		met[m.raw] = true
		if !left[m.raw] && !slices.ContainsFunc(page, func(entry pattern) bool { return entry.covers(m) }) {
			t.Errorf("%s: got no entry of %s for %q, want one, or a reason among notAUsers", m.where, errorsPage, m.raw)
		}
	}
	for raw := range left {
		if !met[raw] {
			t.Errorf("notAUsers: nothing in the code says %q", raw)
		}
	}
}

func TestEveryEntryIsAMessage(t *testing.T) {
	code, page := messages(t), read(t, errorsPage)
	for _, entry := range entries(page) {
		if !slices.ContainsFunc(code, entry.covers) {
			t.Errorf("%s: nothing in the code says %q", entry.where, entry.raw)
		}
	}
	items, led := strings.Count(page.prose, "\n- "), len(leads.FindAllString(page.prose, -1))
	if items != led {
		t.Errorf("%s: got %d items, %d of which begin with messages and a colon, want all", errorsPage, items, led)
	}
}
