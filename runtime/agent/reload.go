// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/redsift/ingraind/runtime"
)

// reload reads the configuration file again: sinks and routes follow it while
// probes stay where they are. A file with a mistake changes nothing.
func (s *session) reload() {
	next, mistakes := s.watching()
	if len(mistakes) > 0 {
		s.unchanged(mistakes...)
		return
	}
	change, did, err := next.change(&s.running, func(err error) { s.log().Warn(err.Error()) })
	if err != nil {
		s.unchanged(err)
		return
	}
	select {
	case s.changes <- change:
	default: // the runtime has not even seen those before
		s.unchanged(errors.New("the changes before have not yet been made: send SIGHUP again"), closeNew(change))
		return
	}
	args := []any{"sinks", did}
	if still := next.needsRestart(&s.running); len(still) > 0 {
		args = append(args, "after_a_restart", strings.Join(still, ", "))
	}
	s.log().Info("the configuration was read again", args...)
	s.running.sinks, s.running.routes = next.sinks, next.routes
}

// unchanged says why a configuration was not taken.
func (s *session) unchanged(why ...error) {
	for _, err := range why {
		if err != nil {
			s.log().Error("the configuration is left as it was", "error", err)
		}
	}
}

// change is what makes this setup of the running one, and what it does in words.
func (s *setup) change(running *setup, tell func(error)) (runtime.Change, string, error) {
	c := runtime.Change{Routes: s.routes}
	var did []string
	for i := range s.sinks {
		sink := &s.sinks[i]
		name, became := sink.part.Name, " added"
		lane := runtime.LaneChange{LaneOptions: runtime.LaneOptions{Name: name}}
		before := running.sink(name)
		if before != nil && maps.Equal(before.settings, sink.settings) && maps.Equal(before.delivery, sink.delivery) {
			became = " kept"
		} else {
			var err error
			if lane, err = sink.replacement(tell); err != nil {
				return c, "", errors.Join(mistake{sink.at, fmt.Errorf("sink %s: %w", name, err)}, closeNew(c))
			}
			if before != nil {
				became = " changed"
			}
		}
		c.Lanes, did = append(c.Lanes, lane), append(did, name+became)
	}
	for i := range running.sinks {
		if name := running.sinks[i].part.Name; s.sink(name) == nil {
			did = append(did, name+" removed")
		}
	}
	return c, strings.Join(did, ", "), nil
}

// replacement opens the sink for a lane that may have to wait for another one
// to end.
func (c *chosenSink) replacement(tell func(error)) (runtime.LaneChange, error) {
	lane, spool, err := c.lane()
	if err != nil {
		return runtime.LaneChange{}, err
	}
	lane.Sink, err = c.part.Open(c.settings)
	change := runtime.LaneChange{LaneOptions: lane}
	if spool != nil {
		change.OpenSpool = func() *runtime.Spool {
			opened, err := runtime.OpenSpool(*spool)
			if err != nil {
				tell(c.spoolless(err))
			}
			return opened
		}
	}
	return change, err
}

func closeNew(c runtime.Change) error {
	var errs []error
	for _, l := range c.Lanes {
		if l.Sink != nil {
			errs = append(errs, l.Sink.Close())
		}
	}
	return errors.Join(errs...)
}

// needsRestart are the keys that differ from those of the running setup, and
// that probes were attached with.
func (s *setup) needsRestart(running *setup) []string {
	var keys []string
	for _, k := range [...]struct {
		key     string
		is, was any
	}{
		{"grains", s.grains, running.grains},
		{"params", []any{s.params, s.calls, s.paths}, []any{running.params, running.calls, running.paths}},
		{"on", s.on, running.on},
		{"listen", s.listen, running.listen},
		{"latency", s.latency, running.latency},
		{"btf", s.btf, running.btf},
		{"rings", s.rings, running.rings},
		{"transport", s.transport, running.transport},
	} {
		if fmt.Sprint(k.is) != fmt.Sprint(k.was) { // keys of maps are in order
			keys = append(keys, k.key)
		}
	}
	return keys
}
