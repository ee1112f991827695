// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"strings"
	"testing"

	"github.com/redsift/ingraind/runtime"
)

// balanced are books of which all terms are used.
func balanced() runtime.Ledger {
	return runtime.Ledger{
		Events: []runtime.EventBooks{
			{Grain: "exec", Event: "exec", Seen: 1010, Emitted: 1000, Lost: 10, Errors: 10, Read: 990, Rows: 990},
			{Grain: "exec", Event: "exit", Seen: 1234567, Emitted: 1234567, Read: 1234567, Rows: 1234567},
		},
		Probes: []runtime.ProbeBooks{
			{Grain: "exec", Probe: "started"},
			{Grain: "exec", Probe: "ended", Compat: 3, Missed: 17},
		},
		Reader: runtime.ReaderBooks{Read: 1235557, Decoded: 1235557, Late: 12},
		Lanes: []runtime.LaneBooks{
			{Sink: "console", In: 1235557, Shipped: 1235557},
			{Sink: "file", In: 1235557, Shipped: 1235000, Pending: 100, Spooled: 200, Dropped: 257, Retries: 4},
		},
	}
}

func TestTheLedgerIsATableAHumanCanRead(t *testing.T) {
	golden(t, "ledger.txt", string(appendLedger(nil, balanced(), true, false)))
	golden(t, "ledger_replay.txt", string(appendLedger(nil, balanced(), false, false)))
}

func TestTheLedgerSaysWhichBooksDoNotBalance(t *testing.T) {
	const fine = "the books balance\n"
	for _, test := range []struct {
		name    string
		change  func(*runtime.Ledger)
		kernel  bool
		running bool
		want    string // at the end
	}{
		{"balanced", func(*runtime.Ledger) {}, true, false, fine},
		{"empty", func(l *runtime.Ledger) { *l = runtime.Ledger{} }, true, false, fine},
		{"seen", func(l *runtime.Ledger) { l.Events[0].Seen++ }, true, false,
			"the books do not balance:\n  exec.exec seen = rejected + sampled out + limited + table only + emitted + errors: 1011, but its parts are 1010\n"},
		{"emitted and sink", func(l *runtime.Ledger) { l.Events[0].Lost--; l.Lanes[0].In++ }, true, false,
			"the books do not balance:\n  exec.exec emitted = lost + read: 1000, but its parts are 999\n  lane console: in + inherited = shipped + pending + spooled + dropped: 1235558, but its parts are 1235557\n"},
		{"seen while running", func(l *runtime.Ledger) { l.Events[0].Seen++ }, true, true, fine},
		{"emitted while running", func(l *runtime.Ledger) { l.Events[0].Emitted += 3; l.Events[1].Emitted++ }, true, true,
			"the books balance, with 4 events on their way from the kernel\n"},
		{"reader while running", func(l *runtime.Ledger) { l.Reader.Read++ }, true, true,
			"the books do not balance:\n  reader: read = decoded + undecodable: 1235558, but its parts are 1235557\n"},
		{"a replay, without a kernel", func(l *runtime.Ledger) {
			for i := range l.Events {
				l.Events[i].Seen, l.Events[i].Emitted, l.Events[i].Lost, l.Events[i].Errors = 0, 0, 0, 0
			}
		}, false, false, fine},
	} {
		l := balanced()
		test.change(&l)
		before := l.Events
		if got := string(appendLedger(nil, l, test.kernel, test.running)); !strings.HasSuffix(got, test.want) {
			t.Errorf("%s: got\n%s\nwant at its end\n%s", test.name, got, test.want)
		}
		if len(before) > 0 && &before[0] != &l.Events[0] {
			t.Errorf("%s: the ledger was written to", test.name)
		}
	}
}
