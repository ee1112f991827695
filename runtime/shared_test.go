// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"os"
	"testing"
)

func TestRingsAreAPowerOfTwoOfPages(t *testing.T) {
	page := os.Getpagesize()
	for most, size := range map[int64]int{
		0: page, 1: page, int64(page): page, 2*int64(page) - 1: page, 3 * int64(page): 2 * page, 8 << 20: 8 << 20, 1<<32 - 1: 1 << 31,
	} {
		if got, err := ringSize(most); got != size || err != nil {
			t.Errorf("%d bytes: got %d (%v), want %d", most, got, err, size)
		}
	}
	if _, err := ringSize(1 << 32); err == nil {
		t.Error("a ring of more than 2 GiB was accepted")
	}
}

func TestEachCPUHasARingAsLongAsItIsLargeEnough(t *testing.T) {
	const mib = 1 << 20
	for _, test := range []struct {
		total       int64
		cpus, rings int
	}{
		{8 * mib, 1, 1}, {8 * mib, 2, 2}, {8 * mib, 6, 6}, {8 * mib, 32, 32},
		{8 * mib, 33, 32}, {8 * mib, 256, 32}, {512 * mib, 4096, 32}, // groups of CPUs
		{mib, 2, 2}, {mib, 64, 4}, {mib / 4, 64, 1}, {4096, 64, 1}, {1, 2, 1}, // little memory
	} {
		got := ringCount(test.total, test.cpus)
		size, err := ringSize(test.total / int64(got))
		if got != test.rings || err != nil {
			t.Errorf("%d bytes, %d CPUs: got %d rings (%v), want %d", test.total, test.cpus, got, err, test.rings)
		}
		if all := int64(got * size); all > max(test.total, int64(os.Getpagesize())) {
			t.Errorf("%d bytes, %d CPUs: %d rings of %d bytes are more", test.total, test.cpus, got, size)
		}
	}
}

func TestLastCPU(t *testing.T) {
	for list, last := range map[string]int{"0\n": 0, "0-1\n": 1, "0-3,8\n": 8, "0,2,4-127": 127} {
		if got, err := lastCPU(list); got != last || err != nil {
			t.Errorf("%q: got %d (%v), want %d", list, got, err, last)
		}
	}
	for _, list := range []string{"", "\n", "0-", "all"} {
		if got, err := lastCPU(list); err == nil {
			t.Errorf("%q: got %d, want an error", list, got)
		}
	}
}

func TestMemoryOfRingsIsATotal(t *testing.T) {
	k := kernel(t)
	s := share(t, k, SharedOptions{Rings: 3, Bytes: 1 << 20})
	if len(s.Rings) != 3 || s.Size != 256<<10 || s.Rings[2].MaxEntries() != 256<<10 {
		t.Errorf("%d rings of %d bytes, the last of %d", len(s.Rings), s.Size, s.Rings[2].MaxEntries())
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
