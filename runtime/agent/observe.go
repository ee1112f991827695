// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"

	"github.com/redsift/ingraind/runtime"
)

// observe reads what was asked of the observer. Its first setting is the address.
func (p *chooser) observe() {
	asked := p.setup.request.listen
	if asked == nil {
		return
	}
	if p.agent.Observer == nil {
		p.mistake(asked.name.at, errors.New("this agent was built without an observer: add observe: true to its agent.yaml"))
		return
	}
	known := p.agent.Observer.Settings
	settings := runtime.Settings{}
	for _, s := range known {
		settings[s.Name] = s.Default
	}
	if asked.name.text != "" {
		settings[known[0].Name] = asked.name.text
	}
	for _, s := range asked.settings {
		if _, ok := settings[s.key.text]; !ok {
			p.mistake(s.key.at, unknown("key", s.key.text, namesOf(known)))
			continue
		}
		settings[s.key.text] = s.value.text
	}
	if settings[known[0].Name] != "" {
		p.setup.listen = settings
	}
}

// observed opens the observer and has it answered by the run of o. It is nil
// when none was asked for.
func (s *session) observed(o *runtime.Options) (io.Closer, error) {
	if s.running.listen == nil {
		return nil, nil
	}
	reports := make(chan func(runtime.Report))
	o.Reports = reports
	info, _ := debug.ReadBuildInfo()
	opened, err := s.agent.Observer.Open(s.running.listen, runtime.Observed{
		Agent: s.agent.Name, Version: versionOf(info), Log: s.log(),
		Report: func(ctx context.Context) (runtime.Report, error) {
			answer := make(chan runtime.Report, 1)
			select {
			case reports <- func(r runtime.Report) { answer <- r }:
				return <-answer, nil
			case <-ctx.Done():
				return runtime.Report{}, ctx.Err()
			}
		},
	})
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	return opened, nil
}
