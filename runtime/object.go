// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"encoding/binary"
	"fmt"
	"maps"

	"github.com/cilium/ebpf"

	"github.com/redsift/ingraind/runtime/internal/ktable"
)

// Names in the objects of grains (bpf/include/grain.h).
const (
	agentVariable = "ingrain_agent"
	paramVariable = "ingrain_param_"
	ringsMap      = "ingrain_rings"
	perfMap       = "ingrain_perf"
	readerSection = ".data.reader"
	slotsMap      = "ingrain_slots"
	ledgerMap     = "ingrain_ledger"
	missedMap     = "ingrain_missed"
)

// prepare reads the grain's object and makes it what this plan, this kernel
// and this agent want: the chosen programs, or those that have variant n,
// constants, and maps. The second result is the maps that stand in for the
// object's own.
func (p *Plan) prepare(s *Shared, o LoadOptions, tables map[string]*ktable.Table, n int) (*ebpf.CollectionSpec, map[string]*ebpf.Map, error) {
	spec, err := p.Grain.Load()
	if err != nil {
		return nil, nil, fmt.Errorf("read object: %w", err)
	}
	if err := p.keepChosen(spec, n); err != nil {
		return nil, nil, err
	}
	if err := p.setConstants(spec, s, o, n); err != nil {
		return nil, nil, err
	}
	if m := spec.Maps[slotsMap]; m != nil {
		m.MaxEntries *= uint32(p.kernel.CPUs)
	}
	fitTransport(spec, s)
	if p.kernel.Atomics() != nil {
		poisonAtomics(spec)
	}
	dropUnused(spec)
	stand := s.replacements(spec)
	for _, t := range tables {
		own, err := t.Fit(spec)
		if err != nil {
			return nil, nil, err
		}
		maps.Copy(stand, own)
	}
	return spec, stand, foldVariables(spec)
}

// variants is how many the point has that has the most, at least one.
func (p *Plan) variants() int {
	most := 1
	for _, c := range p.chosen {
		if c.code != nil {
			most = max(most, len(c.code.variants))
		}
	}
	return most
}

// has reports whether a choice has variant n.
func (c *choice) has(n int) bool { return n == 0 || c.code != nil && n < len(c.code.variants) }

// keepChosen removes the programs that serve no point in this plan, or have no
// variant n.
func (p *Plan) keepChosen(spec *ebpf.CollectionSpec, n int) error {
	wanted := map[string]bool{}
	for _, c := range p.chosen {
		if !c.has(n) {
			continue
		}
		for _, name := range c.Programs {
			if spec.Programs[name] == nil {
				return fmt.Errorf("its object has no program %s", name)
			}
			wanted[name] = true
		}
	}
	for name := range spec.Programs {
		if !wanted[name] {
			delete(spec.Programs, name)
		}
	}
	return nil
}

// setConstants sets what is constant to the verifier: how the agent runs its
// grains (struct ingrain_agent), params, and where arguments are.
func (p *Plan) setConstants(spec *ebpf.CollectionSpec, s *Shared, o LoadOptions, n int) error {
	agent := make([]byte, 8)
	binary.NativeEndian.PutUint32(agent, uint32(len(s.Rings)))
	binary.NativeEndian.PutUint16(agent[4:], o.Number)
	if p.kernel.Atomics() == nil {
		agent[6] = 1
	}
	if alone(spec) {
		agent[7] = 1
	}
	if err := set(spec, agentVariable, agent); err != nil {
		return err
	}
	values, err := p.Grain.paramValues(o.Params)
	if err != nil {
		return err
	}
	for i, v := range values {
		raw := binary.NativeEndian.AppendUint64(nil, uint64(v))
		switch param := &p.Grain.Params[i]; param.Type {
		case Syscalls:
			raw = o.Calls[param.Name].bytes()
		case Paths:
			paths, set := o.Paths[param.Name]
			if !set {
				paths = param.Paths
			}
			if raw, err = places(paths); err != nil {
				return fmt.Errorf("param %s: %w", param.Name, err)
			}
		}
		if err := set(spec, paramVariable+p.Grain.Params[i].Name, raw); err != nil {
			return err
		}
	}
	for _, c := range p.chosen {
		name := p.Grain.Probes[c.probe].Points[c.point].Bind
		if name == "" || !c.has(n) {
			continue
		}
		binding := c.binding.Bytes()
		if c.code != nil {
			binding = c.code.variants[n].binding
		}
		if err := set(spec, name, binding); err != nil {
			return err
		}
	}
	return nil
}

// alone reports whether an object has but one program, which the kernel does
// not run where it runs already: no other counts in the object's maps.
func alone(spec *ebpf.CollectionSpec) bool {
	for _, p := range spec.Programs {
		return len(spec.Programs) == 1 && ktable.Guarded(p)
	}
	return false
}

// set gives a variable of an object its value, which must have its size. A
// variable that no program reads may be missing: the compiler drops it.
func set(spec *ebpf.CollectionSpec, name string, value []byte) error {
	v := spec.Variables[name]
	if v == nil {
		return nil
	}
	if int(v.Size()) != len(value) {
		return fmt.Errorf("variable %s of its object has %d bytes, not %d", name, v.Size(), len(value))
	}
	return v.Set(value)
}

// fitTransport makes the object's transport maps look like the agent's, by
// which they are replaced. Programs for the perf buffer name the rings in
// code that never runs; there an array will do, which older kernels have too.
func fitTransport(spec *ebpf.CollectionSpec, s *Shared) {
	if rings := spec.Maps[ringsMap]; rings != nil {
		if len(s.Rings) == 0 {
			rings.Type, rings.KeySize, rings.ValueSize, rings.MaxEntries, rings.InnerMap = ebpf.Array, 4, 4, 1, nil
		} else {
			ringsSpec(rings, len(s.Rings), &ebpf.MapSpec{Type: ebpf.RingBuf, MaxEntries: uint32(s.Size)})
		}
	}
}

// replacements are the maps of the agent that stand in for an object's own.
func (s *Shared) replacements(spec *ebpf.CollectionSpec) map[string]*ebpf.Map {
	all := map[string]*ebpf.Map{perfMap: s.Perf, readerSection: s.Sleeping}
	if s.outer != nil {
		all[ringsMap] = s.outer
	}
	for name := range all {
		if spec.Maps[name] == nil {
			delete(all, name)
		}
	}
	return all
}
