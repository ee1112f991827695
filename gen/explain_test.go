// SPDX-License-Identifier: Apache-2.0

package gen_test

import (
	"strings"
	"testing"

	"github.com/redsift/ingraind/gen"
)

func TestExplainTellsWhatRunsWhere(t *testing.T) {
	for grain, want := range map[string][]string{
		"part": {
			"event part.odd:", "rejected by the program unless   number > 1000",
			"after who.comm", "filtered by the agent unless", "sent by chance:                  one of 10",
			"100 a second, for each who.tid", "ingrain_emit_odd(struct probe *probe", "func wantsTold(",
		},
		"ask": {
			"counted in table here,           in the kernel: a hash of up to 1000 keys of 32 bytes",
			"counted in table there,          in the agent, as it says", "in the kernel: an array of 3 keys",
			"quantiles is counted by the agent", "ns to be rejected by the first question", "INGRAIN_TABLE_HASH(here,",
			"func (t *thereTable) Update(",
		},
		"request": {
			"parsed by the agent:             head, by Head of grains/request: method, target, host",
			"in the agent (host: host is read by Head, which is Go)", "func (p *requestParser) parse(", "request.Head(b, &p.to)",
		},
	} {
		text, err := gen.Explain(gen.Options{Root: "../examples/grains"}, grain)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range want {
			if !strings.Contains(text, part) {
				t.Errorf("%s: no %q in\n%.3000s", grain, part, text)
			}
		}
	}
}
