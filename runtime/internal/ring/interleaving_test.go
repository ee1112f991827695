// SPDX-License-Identifier: Apache-2.0

package ring

import (
	"strings"
	"testing"
)

func TestNoInterleavingLeavesTheReaderAsleep(t *testing.T) {
	for _, v := range []variant{
		{name: "in place, one ring", rings: 1, ways: [2]way{inPlace, inPlace}},
		{name: "copied, one ring", rings: 1, ways: [2]way{copied, copied}},
		{name: "both ways, one ring", rings: 1, ways: [2]way{inPlace, copied}},
		{name: "in place, two rings", rings: 2, ways: [2]way{inPlace, inPlace}},
		{name: "copied, two rings", rings: 2, ways: [2]way{copied, copied}},
		{name: "both ways, two rings", rings: 2, ways: [2]way{inPlace, copied}},
		{name: "in place, two rings, young records left", rings: 2, ways: [2]way{inPlace, inPlace}, holds: true},
		{name: "copied, two rings, young records left", rings: 2, ways: [2]way{copied, copied}, holds: true},
		{name: "both ways, two rings, young records left", rings: 2, ways: [2]way{inPlace, copied}, holds: true},
		{name: "flag raised between the reader's look and ppoll's", rings: 1, ways: [2]way{inPlace, copied}, raiseLate: true},
		{name: "a program that does not lower the flag", rings: 1, ways: [2]way{neverLowers, inPlace}},
		{name: "flag lowered before a kick that finds room", rings: 1, ways: [2]way{copied, copied}, lowerEarly: true},
		{name: "a kick that finds no room", rings: 1, ways: [2]way{copied, copied}, kickMayFail: true},
		{name: "a kick that finds no room, both ways", rings: 1, ways: [2]way{copied, inPlace}, kickMayFail: true},
		{name: "copied, no barrier but the commit's", rings: 1, ways: [2]way{copied, copied}, weak: true},
	} {
		t.Run(v.name, func(t *testing.T) {
			states, trace := search(&v)
			t.Logf("%d states", states)
			if trace != "" {
				t.Errorf("records are there, the reader sleeps, and nobody will wake it:\n%s", trace)
			}
		})
	}
}

func TestWithoutABarrierOnlyTheBoundedSleepCanMissARecord(t *testing.T) {
	for _, v := range []variant{
		{name: "one ring", rings: 1, ways: [2]way{inPlace, inPlace}, weak: true, bounded: true},
		{name: "two rings", rings: 2, ways: [2]way{inPlace, copied}, weak: true, bounded: true},
		{name: "two rings, young records left", rings: 2, ways: [2]way{inPlace, copied}, weak: true, bounded: true, holds: true},
	} {
		t.Run(v.name, func(t *testing.T) {
			states, trace := search(&v)
			t.Logf("%d states", states)
			if trace != "" {
				t.Errorf("got a stall with the flag up for long:\n%s", trace)
			}
		})
	}
}

func TestTheSearchFindsMistakes(t *testing.T) {
	for _, v := range []variant{
		{name: "flag raised after the last look", rings: 1, ways: [2]way{inPlace, inPlace}, raiseLate: true, noRecheck: true},
		{name: "flag raised after the last look, copied", rings: 1, ways: [2]way{copied, copied}, raiseLate: true, noRecheck: true},
		{name: "flag raised after the last look, two rings", rings: 2, ways: [2]way{inPlace, copied}, raiseLate: true, noRecheck: true, holds: true},
		{name: "flag looked at before reserving", rings: 1, ways: [2]way{lookFirst, lookFirst}},
		{name: "no second look in ppoll", rings: 1, ways: [2]way{inPlace, inPlace}, noRecheck: true},
		{name: "flag lowered before the kick is reserved", rings: 1, ways: [2]way{copied, copied}, kickMayFail: true, lowerEarly: true},
		{name: "no barrier", rings: 1, ways: [2]way{inPlace, inPlace}, weak: true},
	} {
		t.Run(v.name, func(t *testing.T) {
			states, trace := search(&v)
			t.Logf("%d states, stall after %d steps", states, strings.Count(trace, "\n")+1)
			if trace == "" {
				t.Error("the search found no stall, want one")
			}
		})
	}
}
