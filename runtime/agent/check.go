// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/redsift/ingraind/runtime"
)

// checkGrain is what check says of a grain.
type checkGrain struct {
	Grain  string       `json:"grain"`
	Runs   bool         `json:"runs"`
	Why    []string     `json:"why_not,omitempty"`
	Probes []checkProbe `json:"probes"`
}

// checkProbe is what check says of a point of a probe.
type checkProbe struct {
	Probe     string            `json:"probe"`
	Point     string            `json:"point"`
	Runs      bool              `json:"runs"`
	Mechanism runtime.Mechanism `json:"mechanism,omitempty"`
	Target    string            `json:"target,omitempty"`
	Reasons   []string          `json:"reasons,omitempty"`
}

// check is the verb that says what would run on this kernel.
func check(_ context.Context, s *session) int {
	if code, more := s.parse(); !more {
		return code
	}
	setup, mistakes := s.setup()
	if len(mistakes) > 0 {
		return s.mistaken(mistakes)
	}
	plans, err := s.runner().check(setup.grains, runtime.PlanOptions{On: setup.on}, setup.btfPath(), s.env.privileged())
	if err != nil {
		return s.fail(err)
	}
	grains, running := []checkGrain{}, 0
	for _, p := range plans {
		g := checked(p)
		if g.Runs {
			running++
		}
		grains = append(grains, g)
	}
	var text []byte
	if s.flags.format == "json" {
		if text, err = json.MarshalIndent(grains, "", "  "); err != nil {
			return s.fail(err)
		}
		text = append(text, '\n')
	} else {
		text = appendCheck(nil, grains, running)
	}
	if code := s.print(text); code != exitOK {
		return code
	}
	if !s.env.privileged() {
		s.fail(errors.New("without root some mechanisms cannot be tried, and count as missing"))
	}
	if running == 0 {
		return exitFail
	}
	return exitOK
}

func checked(p *runtime.Plan) checkGrain {
	g := checkGrain{Grain: p.Grain.Name, Runs: p.Err == nil, Probes: []checkProbe{}}
	if p.Err != nil {
		g.Why = strings.Split(p.Err.Error(), "\n")
	}
	for _, row := range p.Placements {
		g.Probes = append(g.Probes, checkProbe{row.Probe, row.Point, row.OK, row.Mechanism, row.Target, row.Reasons})
	}
	return g
}

// appendCheck appends a row for each point, below it why better mechanisms do
// not serve, and a line that sums up.
func appendCheck(dst []byte, grains []checkGrain, running int) []byte {
	rows := table{{"PROBE", "POINT", "MECHANISM"}}
	reasons := [][]string{nil}
	var not []string
	for _, g := range grains {
		if !g.Runs {
			not = append(not, g.Grain)
		}
		for _, p := range g.Probes {
			by := string(p.Mechanism)
			switch {
			case !p.Runs:
				by = "none"
			case by == "":
				by = "-"
			}
			rows = append(rows, []string{g.Grain + "." + p.Probe, p.Point, by})
			reasons = append(reasons, p.Reasons)
		}
	}
	for i, line := range rows.lines() {
		dst = append(dst, line+"\n"...)
		for _, reason := range reasons[i] {
			dst = table{{"-", reason}}.appendText(dst, "    ")
		}
	}
	noun := "grains"
	if len(grains) == 1 {
		noun = "grain"
	}
	dst = fmt.Appendf(dst, "\n%d of %d %s can run here", running, len(grains), noun)
	if len(not) > 0 {
		dst = append(dst, "; not "+strings.Join(not, ", ")...)
	}
	return append(dst, '\n')
}
