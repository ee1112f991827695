// SPDX-License-Identifier: Apache-2.0

package gen

import (
	"slices"

	"github.com/redsift/ingraind/gen/internal/model"
)

// needless is what makes p needless, "" when p is needed: all that it stands in
// for runs, or another runs that stands in for p and for one that cannot. It
// looks depth substitutes deep. These are the runtime's rules (runtime/plan.go).
func needless(m *model.Grain, p model.Probe, can map[string]bool, depth int) string {
	wanted := isWanted(m, p, can)
	if by := displaced(m, p, can, depth); by != "" && (can[p.Name] || !wanted) {
		return by
	}
	switch {
	case wanted:
		return ""
	case len(p.Unless) > 1:
		return "all that it stands in for"
	case can[p.Unless[0]]:
		return p.Unless[0]
	}
	return needless(m, named(m, p.Unless[0]), can, depth)
}

// isWanted reports whether p stands in for no other, or for one that is wanted
// and cannot run; what is optional is not worth a substitute that is not.
func isWanted(m *model.Grain, p model.Probe, can map[string]bool) bool {
	return len(p.Unless) == 0 || slices.ContainsFunc(p.Unless, func(name string) bool {
		other := named(m, name)
		return !can[name] && (p.Optional || !other.Optional) && isWanted(m, other, can)
	})
}

// displaced is the probe that runs in place of p, because it also stands in for
// another that cannot run; "" when there is none.
func displaced(m *model.Grain, p model.Probe, can map[string]bool, depth int) (by string) {
	for _, other := range m.Probes {
		if depth > 0 && by == "" && slices.Contains(other.Unless, p.Name) {
			by = displaced(m, other, can, depth-1)
			if by == "" && can[other.Name] && isWanted(m, other, can) {
				by = other.Name
			}
		}
	}
	return by
}

// hasSubstitute reports whether a probe stands in for p.
func hasSubstitute(m *model.Grain, p model.Probe) bool {
	return slices.ContainsFunc(m.Probes, func(other model.Probe) bool { return slices.Contains(other.Unless, p.Name) })
}

// named is the probe of a name: what unless names is there.
func named(m *model.Grain, name string) model.Probe {
	return m.Probes[slices.IndexFunc(m.Probes, func(p model.Probe) bool { return p.Name == name })]
}
