// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/redsift/ingraind/runtime"
)

// word is something a user wrote, and where.
type word struct {
	text string
	at   place
}

// place is a flag, or a line and column of a file, counted from 1.
type place struct {
	name         string // "-param", "agent.yaml"
	line, column int
}

func (p place) String() string {
	if p.line == 0 {
		return p.name
	}
	return fmt.Sprintf("%s:%d:%d", p.name, p.line, p.column)
}

// mistake is what is wrong there.
type mistake struct {
	at  place
	err error
}

func (m mistake) Error() string { return m.at.String() + ": " + m.err.Error() }

// inOrder sorts mistakes by their place in the file, those of flags first.
func inOrder(mistakes []mistake) []error {
	slices.SortStableFunc(mistakes, func(a, b mistake) int {
		return cmp.Or(a.at.line-b.at.line, a.at.column-b.at.column)
	})
	var errs []error
	for _, m := range mistakes {
		errs = append(errs, m)
	}
	return errs
}

// setting is a key and its value.
type setting struct{ key, value word }

// sinkRequest asks for a sink.
type sinkRequest struct {
	name     word
	settings []setting
}

// probeOn says what a probe, GRAIN.PROBE, is at.
type probeOn struct {
	probe word
	names []word
}

// routeRequest says which sinks the rows of a grain, an event or a table go to.
type routeRequest struct {
	name  word // GRAIN, GRAIN.EVENT, GRAIN.TABLE or *
	sinks []word
}

// request is what the flags or the file ask for, not yet compared with what
// the agent holds. What was not asked for is zero.
type request struct {
	grains    []word
	params    []setting
	on        []probeOn
	sinks     []sinkRequest
	routes    []routeRequest
	listen    *sinkRequest // its name is the address; nil: not asked for
	latency   time.Duration
	rings     int64
	btf       string
	transport string
}

var (
	transports = []string{"auto", "ring", "perf"}
	formats    = []string{"json", "text"}
)

// maxLatency is how long the reader sleeps at most.
const maxLatency = 100 * time.Millisecond

func (r *request) setLatency(text string) error {
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 || d > maxLatency {
		return fmt.Errorf("want a duration up to %v, such as 10ms", maxLatency)
	}
	r.latency = d
	return nil
}

func (r *request) setRings(text string) error {
	n, err := runtime.ParseBytes(text)
	if err == nil && n == 0 {
		err = errors.New("want some memory, such as 1MiB")
	}
	r.rings = n
	return err
}

func (r *request) setBTF(text string) error {
	if text == "" {
		return errors.New("want a file or a folder, or none")
	}
	r.btf = text
	return nil
}

func (r *request) setTransport(text string) error {
	if !slices.Contains(transports, text) {
		return unknown("transport", text, transports)
	}
	r.transport = text
	return nil
}

// over is r where it asks for something, and below elsewhere. Params and
// what probes are at are joined one by one, grains and sinks as a whole.
func (r request) over(below request) request {
	all := r
	if all.grains == nil {
		all.grains = below.grains
	}
	if all.sinks == nil {
		all.sinks = below.sinks
	}
	if all.listen == nil {
		all.listen = below.listen
	}
	if all.latency == 0 {
		all.latency = below.latency
	}
	if all.rings == 0 {
		all.rings = below.rings
	}
	if all.btf == "" {
		all.btf = below.btf
	}
	if all.transport == "" {
		all.transport = below.transport
	}
	all.routes = below.routes // a file alone has them
	all.on = append(slices.Clone(below.on), r.on...)
	all.params = append(slices.Clone(below.params), r.params...)
	return all
}

// parseSink reads NAME[:KEY=VALUE,...].
func parseSink(text string) (sinkRequest, error) {
	at := place{name: "-sink"}
	name, rest, more := strings.Cut(text, ":")
	sink := sinkRequest{name: word{name, at}}
	if !more || rest == "" {
		return sink, nil
	}
	return sink, sink.set(splitCommas(rest), at)
}

// parseListen reads ADDRESS[,KEY=VALUE,...].
func parseListen(text string) (*sinkRequest, error) {
	at := place{name: "-listen"}
	parts := splitCommas(text)
	listen := &sinkRequest{name: word{parts[0], at}}
	return listen, listen.set(parts[1:], at)
}

// set adds settings, each KEY=VALUE.
func (s *sinkRequest) set(settings []string, at place) error {
	for _, text := range settings {
		key, value, ok := strings.Cut(text, "=")
		if !ok {
			return fmt.Errorf("%q is no KEY=VALUE", text)
		}
		s.settings = append(s.settings, setting{word{key, at}, word{value, at}})
	}
	return nil
}

// splitCommas splits at commas, but not at those behind a backslash.
func splitCommas(text string) []string {
	var parts []string
	var part strings.Builder
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\\' && i+1 < len(text) && text[i+1] == ',':
			part.WriteByte(',')
			i++
		case text[i] == ',':
			parts = append(parts, part.String())
			part.Reset()
		default:
			part.WriteByte(text[i])
		}
	}
	return append(parts, part.String())
}
