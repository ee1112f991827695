// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"strconv"
	"time"
)

// saturated measures what arrives of events that one CPU sends as fast as it
// can, read on another; see bench/saturate. It needs two CPUs that have little
// else to do.
func saturated(b *bench) ([]row, error) {
	program, err := b.buildInside("bench/saturate", "runtime/internal/saturate")
	if err != nil {
		return nil, err
	}
	out, err := output(exec.Command(program, "-rounds", strconv.Itoa(b.rounds(9)), "-for", time.Second.String()))
	if err != nil {
		return nil, err
	}
	var measured map[string][]struct{ Sent, Lost, Read, NS float64 }
	if err := json.Unmarshal([]byte(out), &measured); err != nil {
		return nil, fmt.Errorf("%s: %w", out, err)
	}
	var gap, lost, ns [2][]float64
	for i, name := range []string{"ours", "naive"} {
		for _, r := range measured[name] {
			gap[i] = append(gap[i], 1e9/r.Read)
			lost[i] = append(lost[i], r.Lost/r.Sent*100)
			ns[i] = append(ns[i], r.NS)
		}
	}
	r := compared("saturated: time that passes for a record read, against naive", "ns/record", median(gap[0]), median(gap[1]), 1.0/8)
	r.Note = fmt.Sprintf("%.3g M/s, %.3g %% lost, %.3g ns of CPU each; peer %.3g M/s, %.3g %%, %.3g ns",
		1e3/median(gap[0]), median(lost[0]), median(ns[0]), 1e3/median(gap[1]), median(lost[1]), median(ns[1]))
	none := bounded("saturated: lost", "% of events", median(lost[0]), 0.001)
	none.Limit = 0 // others may use the reader's CPU for longer than the ring lasts, 9 ms
	return []row{r, none}, nil
}
