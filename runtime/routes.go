// SPDX-License-Identifier: Apache-2.0

package runtime

import "slices"

// Routes say by "grain.event" or "grain.table" which sinks get those rows,
// instead of what the grain says. A name with no sink goes nowhere; one that is
// not there goes where the grain says.
type Routes map[string][]string

// admit reports whether rows of an event of a grain go to a sink.
func (r Routes) admit(grain string, e *Event, sink string) bool {
	if sinks, ok := r[grain+"."+e.Name]; ok {
		return slices.Contains(sinks, sink)
	}
	return len(e.Sinks) == 0 || slices.Contains(e.Sinks, sink)
}
