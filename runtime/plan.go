// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"errors"
	"fmt"
	"maps"
	"path"
	goruntime "runtime"
	"slices"
	"strings"
	"time"

	"github.com/redsift/ingraind/runtime/internal/btfargs"
)

// Plan is where the probes of a grain will run on a kernel, decided without
// loading any of them.
type Plan struct {
	Grain *Grain
	// Placements has a row for each point of each probe, in their order.
	Placements []Placement
	// Err says why the grain cannot run, nil when it can.
	Err error

	kernel  *Kernel
	options PlanOptions
	refused map[attempt]string // what was tried in earnest, and why it failed
	chosen  []choice
}

// Placement is where a point of a probe will run.
type Placement struct {
	Grain, Probe, Point string

	Mechanism Mechanism // "" when no way serves it, or when it is not needed
	Target    string
	OK        bool     // it will run if the grain can, or there is no need
	Reasons   []string // why each better way than the chosen one does not serve; why it is not needed
}

// PlanOptions narrow what a plan may use.
type PlanOptions struct {
	Only map[Mechanism]bool  // nil: every mechanism
	On   map[string][]string // "grain.probe": what its points are at, instead of what the grain says
}

// attempt is a way of a point that was tried.
type attempt struct {
	probe, point, way int // their indices
}

// choice is a point, and the way that serves it.
type choice struct {
	attempt
	*Way
	binding   btfargs.Binding
	functions []string // of the kernel, when the target is a pattern
	code      *Code    // in programs
	on        []string // what it is at: folders of cgroups, patterns for names of interfaces, files of network namespaces
	every     time.Duration
}

// Plan decides where the probes of g run. A point takes the first of its ways
// that this kernel can serve. A probe can run when all of its points can,
// apart from system calls that this architecture lacks while it has another of
// them; one with an Unless does only where one of those cannot, and then none of
// those does. A grain can when each probe can, is optional, or has substitutes
// that can.
func (k *Kernel) Plan(g *Grain, o PlanOptions) *Plan {
	return (&Plan{Grain: g, kernel: k, options: o}).decide()
}

// without is the same plan after an attempt has failed.
func (p *Plan) without(a attempt, reason string) *Plan {
	next := &Plan{Grain: p.Grain, kernel: p.kernel, options: p.options, refused: maps.Clone(p.refused)}
	if next.refused == nil {
		next.refused = map[attempt]string{}
	}
	next.refused[a] = reason
	return next.decide()
}

// standing is what is known of a probe.
type standing struct {
	rows    []Placement
	choices []choice
	can     bool
}

func (p *Plan) decide() *Plan {
	probes := make([]standing, len(p.Grain.Probes))
	for i := range probes {
		probes[i] = p.try(i)
	}
	var errs []error
	for i := range p.Grain.Probes {
		s := &probes[i]
		switch blocker, needed := p.needed(i, probes); {
		case !needed:
			for n := range s.rows {
				s.rows[n].Mechanism, s.rows[n].Target, s.rows[n].OK = "", "", true
				s.rows[n].Reasons = []string{"not needed: " + blocker + " runs"}
			}
		case s.can:
			p.chosen = append(p.chosen, s.choices...)
		default:
			if !p.Grain.Probes[i].Optional && !p.substituted(i, probes, len(probes)) {
				errs = append(errs, s.err())
			}
			s.giveUp()
		}
		p.Placements = append(p.Placements, s.rows...)
	}
	if len(p.chosen) == 0 && len(errs) == 0 {
		errs = append(errs, fmt.Errorf("%s: none of its probes can run", p.Grain.Name))
	}
	if p.Err = errors.Join(errs...); p.Err != nil {
		p.chosen = nil
	}
	return p
}

// giveUp takes back what could run, had the probe's other points been able to.
func (s *standing) giveUp() {
	for n := range s.rows {
		if row := &s.rows[n]; row.OK {
			row.Mechanism, row.Target, row.OK = "", "", false
			row.Reasons = append(row.Reasons, "another point of "+row.Probe+" cannot be served")
		}
	}
}

// needed reports whether a probe has to run, or which others make it needless.
func (p *Plan) needed(probe int, probes []standing) (blocker string, needed bool) {
	wanted := p.wanted(probe, probes, len(probes))
	if by := p.displaced(probe, probes, len(probes)); by != "" && (probes[probe].can || !wanted) {
		return by, false
	}
	if wanted {
		return "", true
	}
	return p.first(probe, probes), false
}

// first is what runs, so that a probe that stands in for it need not.
func (p *Plan) first(probe int, probes []standing) string {
	for range probes {
		unless := p.Grain.Probes[probe].Unless
		if len(unless) != 1 {
			break
		}
		probe = slices.IndexFunc(p.Grain.Probes, func(other Probe) bool { return other.Name == unless[0] })
		if probes[probe].can {
			return unless[0]
		}
	}
	return "all that it stands in for"
}

// wanted reports whether a probe stands in for no other, or for one that is
// wanted and cannot run; what is optional is not worth a substitute that is
// not. It looks depth substitutes deep.
func (p *Plan) wanted(probe int, probes []standing, depth int) bool {
	self := &p.Grain.Probes[probe]
	return len(self.Unless) == 0 || depth == 0 || slices.ContainsFunc(self.Unless, func(name string) bool {
		i := slices.IndexFunc(p.Grain.Probes, func(other Probe) bool { return other.Name == name })
		return i < 0 || !probes[i].can && (self.Optional || !p.Grain.Probes[i].Optional) && p.wanted(i, probes, depth-1)
	})
}

// displaced is the probe that runs in place of this one, because it also stands
// in for another that cannot run; "" when there is none.
func (p *Plan) displaced(probe int, probes []standing, depth int) (by string) {
	for i := range p.Grain.Probes {
		if depth > 0 && by == "" && slices.Contains(p.Grain.Probes[i].Unless, p.Grain.Probes[probe].Name) {
			by = p.displaced(i, probes, depth-1)
			if by == "" && probes[i].can && p.wanted(i, probes, len(probes)) {
				by = p.Grain.Probes[i].Name
			}
		}
	}
	return by
}

// substituted reports whether there are probes that stand in where this one
// cannot run, and each can, or is substituted in turn, at most depth deep.
func (p *Plan) substituted(probe int, probes []standing, depth int) bool {
	found := false
	for i := range p.Grain.Probes {
		if !slices.Contains(p.Grain.Probes[i].Unless, p.Grain.Probes[probe].Name) {
			continue
		}
		if !probes[i].can && (depth == 0 || !p.substituted(i, probes, depth-1)) {
			return false
		}
		found = true
	}
	return found
}

// try finds a way for each point of a probe.
func (p *Plan) try(probe int) standing {
	s := standing{can: true}
	for point := range p.Grain.Probes[probe].Points {
		row, c := p.place(probe, point)
		s.rows = append(s.rows, row)
		if c.Way != nil {
			s.choices = append(s.choices, c)
		}
		s.can = s.can && row.OK
	}
	return s
}

// place finds a way for a point.
func (p *Plan) place(probe, point int) (Placement, choice) {
	pr := &p.Grain.Probes[probe]
	pt := &pr.Points[point]
	row := Placement{Grain: p.Grain.Name, Probe: pr.Name, Point: pt.At}
	if pt.absent() {
		// Programs make another call, which another point is for.
		row.OK = slices.ContainsFunc(pr.Points, func(other Point) bool { return !other.absent() })
		row.Reasons = []string{fmt.Sprintf("there is no system call %s on %s", path.Base(pt.At), goruntime.GOARCH)}
		return row, choice{}
	}
	for i := range pt.Ways {
		way := &pt.Ways[i]
		c := choice{attempt: attempt{probe, point, i}, Way: way, on: pt.On, every: pt.Every}
		if on, ok := p.options.On[p.Grain.Name+"."+pr.Name]; ok {
			c.on = on
		}
		if err := p.serve(&c, pr, pt); err != nil {
			row.addReason(way.Mechanism, err.Error())
			continue
		}
		row.Mechanism, row.Target, row.OK = way.Mechanism, way.Target, true
		return row, c
	}
	return row, choice{}
}

// absent reports whether a point is a system call that this architecture lacks.
func (pt *Point) absent() bool { return slices.Contains(pt.Except, goruntime.GOARCH) }

// addReason notes why a way does not serve; ways that share a reason share a line.
func (row *Placement) addReason(m Mechanism, reason string) {
	if last := len(row.Reasons) - 1; last >= 0 {
		if mechanisms, same := strings.CutSuffix(row.Reasons[last], ": "+reason); same {
			row.Reasons[last] = fmt.Sprintf("%s, %s: %s", mechanisms, m, reason)
			return
		}
	}
	row.Reasons = append(row.Reasons, fmt.Sprintf("%s: %s", m, reason))
}

// serve reports why a way cannot serve a point; if it can, c is complete.
func (p *Plan) serve(c *choice, probe *Probe, point *Point) error {
	if p.options.Only != nil && !p.options.Only[c.Mechanism] {
		return errors.New("not to be used")
	}
	if reason, tried := p.refused[c.attempt]; tried {
		return errors.New(reason)
	}
	return p.kernel.serve(c, probe.Args, point)
}

// err says why a probe cannot run: its points that cannot, each way with its reason.
func (s *standing) err() error {
	var errs []error
	for _, row := range s.rows {
		if row.OK {
			continue
		}
		why := strings.Join(row.Reasons, "; ")
		if why == "" {
			why = "no way is known"
		}
		errs = append(errs, fmt.Errorf("%s: %s cannot run at %s: %s", row.Grain, row.Probe, row.Point, why))
	}
	return errors.Join(errs...)
}

// tracepoint is the name of a tracepoint without its category.
func (w *Way) tracepoint() string { return path.Base(w.Target) }
