// SPDX-License-Identifier: Apache-2.0

package main

import "testing"

func TestNoPartHasGrownByATenth(t *testing.T) {
	if err := run(false); err != nil {
		t.Error(err)
	}
}

func TestGrowthIsSeen(t *testing.T) {
	parts := []part{{name: "exec; console", bytes: 5_000_000, whole: true}, {name: "sink s3", bytes: 8_000_000}, {name: "sink new", bytes: 6_000_000}, {name: "all", bytes: 9_000_000, whole: true}}
	less(parts)
	before := readPage(appendPage(nil, parts))
	if len(before) != 4 || before["sink s3"] != 3_000_000 || before["all"] != 9_000_000 {
		t.Fatalf("got %v", before)
	}
	parts[1].bytes += 301_000
	delete(before, "sink new")
	if errs := grown(parts, before); len(errs) != 2 {
		t.Errorf("got %v, want the grown one and the new one", errs)
	}
}
