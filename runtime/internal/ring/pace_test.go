// SPDX-License-Identifier: Apache-2.0

package ring

import (
	"testing"
	"time"
)

func TestPace(t *testing.T) {
	const ms = time.Millisecond
	few := drained{records: 10, fill: 1}
	type want struct {
		d     drained
		nap   time.Duration
		sleep bool
	}
	for _, test := range []struct {
		name  string
		tick  time.Duration
		wants []want
	}{
		{"ticks while records come", ms, []want{{few, ms, false}, {few, ms, false}}},
		{"ticks as it is told", 10 * ms, []want{{few, 10 * ms, false}}},
		{"sleeps after three quiet ticks", ms, []want{
			{few, ms, false}, {drained{}, ms, false}, {drained{}, ms, false}, {drained{}, ms, true}, {drained{}, ms, true}}},
		{"goes back to sleep after a lonely record", ms, []want{
			{drained{records: 1, slept: 20 * ms}, 0, true}, {drained{slept: ms}, ms, true}}},
		{"ticks when records come soon after one another", ms, []want{
			{drained{records: 1, slept: 20 * ms}, 0, true}, {drained{records: 1, slept: ms}, ms, false}}},
		{"ticks after a sleep that brought many", ms, []want{{drained{records: 50, slept: 90 * ms}, ms, false}}},
		{"looks at young records once more, and goes back to sleep", ms, []want{
			{drained{records: 1, slept: 20 * ms, held: true}, window, false}, {drained{records: 1}, 0, true}}},
		{"looks at young records once more, and ticks when there are more", ms, []want{
			{drained{slept: 20 * ms, held: true}, window, false}, {drained{records: 2, held: true}, ms, false}, {drained{records: 9, held: true}, ms, false}}},
		{"does not sleep on young records", ms, []want{
			{drained{held: true}, ms, false}, {drained{held: true}, ms, false}, {drained{held: true}, ms, false}, {drained{held: true}, ms, false}}},
		{"looks more often while a ring fills", ms, []want{
			{drained{records: 9, fill: 30}, ms / 2, false}, {drained{records: 9, fill: 10}, ms / 2, false},
			{drained{records: 9, fill: 90}, 0, false}, {drained{records: 9, fill: 3}, 50 * time.Microsecond, false},
			{drained{records: 9, fill: 3}, 150 * time.Microsecond, false}}},
		{"never sleeps behind a record being written", ms, []want{
			{drained{busy: true}, 50 * time.Microsecond, false}, {drained{busy: true}, 100 * time.Microsecond, false},
			{drained{busy: true}, 200 * time.Microsecond, false}, {drained{busy: true}, 400 * time.Microsecond, false},
			{drained{busy: true}, 800 * time.Microsecond, false}, {drained{busy: true}, ms, false}, {drained{busy: true}, ms, false},
			{drained{busy: true, records: 1}, 50 * time.Microsecond, false}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := pace{tick: test.tick, nap: test.tick}
			for i, w := range test.wants {
				nap, sleep := p.next(w.d)
				if sleep != w.sleep || !sleep && nap != w.nap {
					t.Errorf("after drain %d: got %v, sleep %v; want %v, %v", i, nap, sleep, w.nap, w.sleep)
				}
			}
		})
	}
}
