// SPDX-License-Identifier: Apache-2.0

package main

import "testing"

// TestFiguresKeepHalfTheirMargin takes every figure once, in a hurry. Counts,
// allocations and equal output are checked by the measures themselves.
func TestFiguresKeepHalfTheirMargin(t *testing.T) {
	b, err := newBench(30)
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	t.Log(describeHost())
	for _, m := range measures() {
		t.Run(m.name, func(t *testing.T) {
			rows, err := m.do(b)
			if err != nil {
				t.Errorf("%v (this needs root, gcc, libbpf-dev and clang-19: .ci/deps installs them)", err)
			}
			found := table{Rows: rows}
			if err := found.print(t.Output(), "text"); err != nil {
				t.Error(err)
			}
			for _, err := range found.beyond() {
				t.Error(err)
			}
		})
	}
}
