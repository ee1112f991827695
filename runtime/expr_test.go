// SPDX-License-Identifier: Apache-2.0

package runtime_test

import (
	"math"
	"testing"

	"github.com/redsift/ingraind/runtime"
)

func TestWhatIsDividedByZeroIsZero(t *testing.T) {
	for _, c := range []struct{ a, b, quo, rem int64 }{
		{7, 2, 3, 1}, {-7, 2, -3, -1}, {7, -2, -3, 1}, {7, 0, 0, 0}, {math.MinInt64, -1, math.MinInt64, 0},
	} {
		if quo, rem := runtime.Quo(c.a, c.b), runtime.Rem(c.a, c.b); quo != c.quo || rem != c.rem {
			t.Errorf("%d by %d: got %d and %d, want %d and %d", c.a, c.b, quo, rem, c.quo, c.rem)
		}
	}
}

func TestNumbersCompareWhateverTheirSign(t *testing.T) {
	for _, c := range []struct {
		a           uint64
		b           int64
		less, equal bool
	}{
		{0, -1, false, false}, {math.MaxUint64, -1, false, false}, {1 << 63, math.MinInt64, false, false},
		{0, 0, false, true}, {0, 1, true, false}, {5, 5, false, true}, {math.MaxInt64, math.MaxInt64, false, true},
	} {
		if got := runtime.LessUS(c.a, c.b); got != c.less {
			t.Errorf("%d < %d: got %v, want %v", c.a, c.b, got, c.less)
		}
		if got := runtime.EqualUS(c.a, c.b); got != c.equal {
			t.Errorf("%d == %d: got %v, want %v", c.a, c.b, got, c.equal)
		}
		if got, want := runtime.LessSU(c.b, c.a), !c.less && !c.equal; got != want {
			t.Errorf("%d < %d: got %v, want %v", c.b, c.a, got, want)
		}
	}
}

func TestContainsFindsATextWhereverItIs(t *testing.T) {
	for _, c := range []struct {
		b, text string
		want    bool
	}{
		{"", "a", false}, {"a", "a", true}, {"aab", "ab", true}, {"aaa", "ab", false}, {"xxab", "ab", true}, {"xab", "abc", false},
	} {
		if got := runtime.Contains([]byte(c.b), c.text); got != c.want {
			t.Errorf("%q contains %q: got %v, want %v", c.b, c.text, got, c.want)
		}
	}
}

func TestConditionsAndKeysAllocateNothing(t *testing.T) {
	path, comm := []byte("/usr/lib/x86_64-linux-gnu/libc.so.6"), []byte("nginx")
	peer := []byte{10: 0xff, 11: 0xff, 12: 10, 15: 1}
	key := make([]byte, 64)
	sink := 0
	allocs := testing.AllocsPerRun(100, func() {
		for _, yes := range []bool{
			string(comm) == "nginx",
			runtime.StartsWith(path, "/usr/lib/x86_64-linux-gnu/"),
			runtime.EndsWith(path, ".so.6"),
			runtime.Contains(path, "linux-gnu/libc.so.6"),
			runtime.AddressOf(peer).In(0, 0xaffff0000, ^uint64(0), 0xffffffffff),
			runtime.AddressOf(peer).Network(24, 64) == runtime.Network{Address: runtime.Address{Lo: 0xaffff0000}, Bits: 24},
			runtime.Pick(len(path) > 3, true, false),
		} {
			if yes {
				sink++
			}
		}
		runtime.PutStr(key, runtime.Str(path, runtime.TailSet))
		runtime.PutStr(key, "nobody knows how long this string is, but it is not short")
		runtime.AddressOf(peer).Network(8, 64).Put(key)
	})
	if allocs != 0 {
		t.Errorf("got %v allocations, want none", allocs)
	}
	if sink != 7*101 {
		t.Errorf("got %d conditions that hold, want %d", sink, 7*101)
	}
}
