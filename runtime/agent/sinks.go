// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"errors"
	"fmt"

	"github.com/redsift/ingraind/runtime"
)

// The sink that is there without configuration, and its setting behind -o.
const (
	consoleSink   = "console"
	formatSetting = "format"
)

// setFormat serves -o, which is short for a setting of the console.
func (s *setup) setFormat(format string) error {
	if format == "" {
		return nil
	}
	console := s.sink(consoleSink)
	if console == nil {
		return errors.New("this is how the console writes, and it is not among the sinks: add -sink console")
	}
	if _, ok := console.settings[formatSetting]; !ok {
		return errors.New("the console of this agent has no format")
	}
	console.settings[formatSetting] = format
	return nil
}

func (s *setup) sink(name string) *chosenSink {
	for i := range s.sinks {
		if s.sinks[i].part.Name == name {
			return &s.sinks[i]
		}
	}
	return nil
}

// open opens the sinks and their spools, all or none. tell is told of a spool
// that nobody asked for and that cannot be had: its sink does without.
func (s *setup) open(tell func(error)) ([]runtime.LaneOptions, error) {
	var lanes []runtime.LaneOptions
	for _, c := range s.sinks {
		lane, err := c.open(tell)
		if err != nil {
			err = fmt.Errorf("sink %s: %w", c.part.Name, err)
			if c.at != (place{}) {
				err = mistake{c.at, err}
			}
			return nil, errors.Join(err, closeAll(lanes))
		}
		lanes = append(lanes, lane)
	}
	return lanes, nil
}

// open opens one sink, and its spool.
func (c *chosenSink) open(tell func(error)) (runtime.LaneOptions, error) {
	lane, spool, err := c.lane()
	if err != nil {
		return lane, err
	}
	if lane.Sink, err = c.part.Open(c.settings); err != nil {
		return lane, err
	}
	if err := runtime.Start(lane.Sink); err != nil {
		return lane, errors.Join(err, lane.Sink.Close())
	}
	if spool == nil {
		return lane, nil
	}
	if lane.Spool, err = runtime.OpenSpool(*spool); err == nil {
		return lane, nil
	}
	if c.asked[spoolSetting] {
		return lane, errors.Join(err, lane.Sink.Close())
	}
	tell(c.spoolless(err))
	return lane, nil
}

// spoolless is what to say when a spool cannot be had.
func (c *chosenSink) spoolless(err error) error {
	return fmt.Errorf("sink %s: rows that it does not take will be lost when it is away for long, or when the agent ends: %w", c.part.Name, err)
}

func closeAll(lanes []runtime.LaneOptions) error {
	var errs []error
	for _, l := range lanes {
		if err := l.Sink.Close(); err != nil {
			errs = append(errs, fmt.Errorf("close sink %s: %w", l.Name, err))
		}
		if l.Spool != nil {
			errs = append(errs, l.Spool.Close())
		}
	}
	return errors.Join(errs...)
}
