// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/cilium/ebpf"

	"github.com/redsift/ingraind/runtime/internal/ring"
)

// start brings all grains that can run to the point where they do.
func (s *session) start(ctx context.Context) error {
	raiseLimits()
	// The kernel waits for a grace period before a ring is in its place; its
	// types are read meanwhile.
	shared := make(chan error, 1)
	go func() { shared <- s.share() }()
	plans, err := s.plan()
	if err := errors.Join(err, <-shared); err != nil {
		return err
	}
	if err := s.openSource(); err != nil {
		return err
	}
	if err := s.load(ctx, plans); err != nil {
		return err
	}
	if s.Started != nil {
		var running []*Plan
		for _, l := range s.loaded {
			running = append(running, l.Plan())
		}
		s.Started(running)
	}
	return nil
}

// share makes what the grains have in common.
func (s *session) share() error {
	haveRings := haveRingBuffers
	if s.kernel != nil {
		haveRings = s.kernel.RingBuffer
	}
	missing := haveRings()
	if s.Transport == "ring" && missing != nil {
		return fmt.Errorf("transport ring: %w", missing)
	}
	var err error
	s.shared, err = makeShared(SharedOptions{Bytes: s.Rings, Perf: s.Transport == "perf" || missing != nil})
	return err
}

// plan decides where each grain runs and reports those that cannot.
func (s *session) plan() ([]*Plan, error) {
	k := s.kernel
	if k == nil {
		var err error
		if k, err = RunningKernel(s.BTF); err != nil {
			return nil, err
		}
	}
	if swept, err := SweepLeftovers(); err != nil || swept > 0 {
		s.Log.Warn("swept what a killed agent left", "things", swept, "error", err)
	}
	var plans []*Plan
	for _, g := range s.Grains {
		p := k.Plan(g, PlanOptions{Only: s.Only, On: s.On})
		if p.Err != nil {
			s.Log.Error("grain cannot run here", "grain", g.Name, "reason", p.Err)
			continue
		}
		plans = append(plans, p)
	}
	if len(plans) == 0 {
		return nil, errors.New("no grain can run here")
	}
	return plans, nil
}

func (s *session) openSource() error {
	o := ring.Options{Tick: s.Latency}
	if len(s.shared.Rings) == 0 {
		cpus, err := ebpf.PossibleCPU()
		if err != nil {
			return err
		}
		s.source, err = ring.OpenPerf(s.shared.Perf, int(s.shared.Bytes)/cpus, o)
		return err
	}
	flag, err := ring.OpenFlag(s.shared.Sleeping)
	if err != nil {
		return err
	}
	var rings []*ring.Ring
	for _, m := range s.shared.Rings {
		opened, err := ring.Open(m)
		if err != nil {
			return err
		}
		rings = append(rings, opened)
	}
	s.source, err = ring.NewReader(rings, flag, o)
	return err
}

// load loads all grains, then attaches them; one that fails is reported, and
// the others go on.
func (s *session) load(ctx context.Context, plans []*Plan) error {
	var grains []*Grain
	for _, p := range plans {
		if ctx.Err() != nil {
			break
		}
		l, err := p.Load(s.shared, LoadOptions{
			Number: uint16(len(grains)), Params: paramsOf(p.Grain, s.Params), Calls: paramsOf(p.Grain, s.Calls), Paths: paramsOf(p.Grain, s.Paths), Log: s.Log,
		})
		if err != nil {
			s.Log.Error("grain cannot be loaded", "grain", p.Grain.Name, "reason", err)
			continue
		}
		s.loaded = append(s.loaded, l)
		grains = append(grains, p.Grain)
	}
	s.intake = newIntake(grains, s.lanes)
	if err := s.openTables(grains); err != nil {
		return err
	}
	if err := s.openRecording(grains); err != nil {
		return err
	}
	s.loaded = slices.DeleteFunc(s.loaded, func(l *Loaded) bool {
		err := l.Attach()
		if err != nil {
			s.Log.Error("grain cannot be attached", "grain", l.Plan().Grain.Name, "reason", err)
		}
		return err != nil
	})
	if len(s.loaded) == 0 && ctx.Err() == nil {
		return errors.New("no grain could be started")
	}
	forget(s.loaded)
	return s.openFollowing()
}

// forget frees what only loading needs: the types of a kernel are larger than
// all else that an agent holds.
func forget(loaded []*Loaded) {
	for _, l := range loaded {
		l.plan.kernel = nil
	}
	go debug.FreeOSMemory() // events need not wait for it
}

// paramsOf picks a grain's params from those of all: "exec.max_args".
func paramsOf[T any](g *Grain, all map[string]T) map[string]T {
	own := map[string]T{}
	for name, value := range all {
		if param, ok := strings.CutPrefix(name, g.Name+"."); ok {
			own[param] = value
		}
	}
	return own
}
