// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"context"
	"io"

	"github.com/redsift/ingraind/runtime"
)

// runner is what an agent asks of the runtime. Tests bring their own.
type runner interface {
	run(ctx context.Context, o runtime.Options) (runtime.Ledger, error)
	// check says where the probes of each grain would run here; with load it
	// also has the kernel verify their programs, without attaching them.
	check(grains []*runtime.Grain, o runtime.PlanOptions, types string, load bool) ([]*runtime.Plan, error)
	replay(ctx context.Context, recording io.Reader, o runtime.Options) (runtime.Ledger, error)
}

// kernel is the runtime itself, on the kernel below.
type kernel struct{}

func (kernel) run(ctx context.Context, o runtime.Options) (runtime.Ledger, error) {
	return runtime.Run(ctx, o)
}

func (kernel) check(grains []*runtime.Grain, o runtime.PlanOptions, types string, load bool) ([]*runtime.Plan, error) {
	k, err := runtime.RunningKernel(types)
	if err != nil {
		return nil, err
	}
	var plans []*runtime.Plan
	for _, g := range grains {
		p := k.Plan(g, o)
		if load {
			p = p.Try()
		}
		plans = append(plans, p)
	}
	return plans, nil
}

func (kernel) replay(ctx context.Context, recording io.Reader, o runtime.Options) (runtime.Ledger, error) {
	return runtime.Replay(ctx, recording, o)
}
