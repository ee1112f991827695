// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"
)

func TestVerdictLooksAtTargetThenAtTwice(t *testing.T) {
	for _, c := range []struct {
		row  row
		want string
	}{
		{compared("", "", 1, 5, 1.0/5), "met"},
		{compared("", "", 1, 4, 1.0/5), "MISSED"},
		{compared("", "", 1, 2, 1.0/5), "BEYOND"},
		{compared("", "", 1, 2, 0), "-"},
		{bounded("", "", 7, 7), "met"},
		{bounded("", "", 7.1, 7), "MISSED"},
		{bounded("", "", 15, 7), "BEYOND"},
	} {
		if got := c.row.verdict(); got != c.want {
			t.Errorf("verdict of %+v: got %s, want %s", c.row, got, c.want)
		}
	}
}

func TestBeyondNamesEachFigureBeyondItsLimit(t *testing.T) {
	found := table{Rows: []row{compared("fast", "ns", 1, 9, 0.2), compared("slow", "ns", 1, 2, 0.2), compared("told", "ns", 9, 1, 0)}}
	errs := found.beyond()
	if len(errs) != 1 || !strings.HasPrefix(errs[0].Error(), "slow: ") {
		t.Errorf("got %v, want one error, about slow", errs)
	}
}

func TestMedianIsTheMiddleOrBetweenTheTwoMiddles(t *testing.T) {
	if got := median([]float64{9, 1, 5}); got != 5 {
		t.Errorf("of three: got %v, want 5", got)
	}
	if got := median([]float64{9, 1, 5, 3}); got != 4 {
		t.Errorf("of four: got %v, want 4", got)
	}
}

func TestTurnsDoNotCountTheFirst(t *testing.T) {
	n := 0.0
	got := takeTurns(3, func() float64 { n++; return n }, func() float64 { return -n })
	if got[0] != 3 || got[1] != -3 {
		t.Errorf("got %v, want the medians of 2, 3, 4 and their negatives", got)
	}
}
