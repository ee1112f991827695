// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParamsAreReadAndWrittenAsTheirType(t *testing.T) {
	for _, test := range []struct {
		param Param
		text  string
		want  int64
		back  string
		err   string
	}{
		{Param{Type: Integer}, "64", 64, "64", ""},
		{Param{Type: Integer}, "-0x10", -16, "-16", ""},
		{Param{Type: Integer, Name: "n"}, "64KiB", 0, "", `param n: "64KiB" is no integer`},
		{Param{Type: Bytes}, "64KiB", 65536, "64KiB", ""},
		{Param{Type: Bytes}, "1000", 1000, "1000B", ""},
		{Param{Type: Bytes, Name: "n"}, "x", 0, "", `param n: "x" is no amount of bytes such as 512B, 64KiB or 5MB`},
		{Param{Type: Duration}, "1500ms", 1500e6, "1.5s", ""},
		{Param{Type: Duration, Name: "n"}, "5", 0, "", `param n: "5" is no duration such as 10ms or 5s`},
		{Param{Type: Bool}, "true", 1, "true", ""},
		{Param{Type: Bool}, "0", 0, "false", ""},
		{Param{Type: Bool, Name: "n"}, "maybe", 0, "", `param n: "maybe" is neither true nor false`},
		{Param{Type: Bytes, Name: "n", Min: 0, Max: 16 << 10}, "16KiB", 16 << 10, "16KiB", ""},
		{Param{Type: Bytes, Name: "n", Min: 0, Max: 16 << 10}, "17KiB", 0, "", "param n: 17KiB is not between 0B and 16KiB"},
		{Param{Type: Duration, Name: "n", Min: 1e6, Max: 1e9}, "1us", 0, "", "param n: 1µs is not between 1ms and 1s"},
	} {
		got, err := test.param.Parse(test.text)
		if err != nil || test.err != "" {
			if err == nil || err.Error() != test.err {
				t.Errorf("%s: error is %v, want %s", test.text, err, test.err)
			}
			continue
		}
		if back := test.param.Format(got); got != test.want || back != test.back {
			t.Errorf("%s: got %d, written %s; want %d, %s", test.text, got, back, test.want, test.back)
		}
	}
}

func TestParamsKeepTheirDefaultsUnlessSet(t *testing.T) {
	g := &Grain{Params: []Param{{Name: "a", Type: Integer, Default: 1}, {Name: "b", Type: Integer, Default: 2, Min: 1, Max: 5}}}
	for _, test := range []struct {
		set  map[string]int64
		want []int64
		err  string
	}{
		{nil, []int64{1, 2}, ""},
		{map[string]int64{"b": 5}, []int64{1, 5}, ""},
		{map[string]int64{"b": 6}, nil, "param b: 6 is not between 1 and 5"},
		{map[string]int64{"c": 6}, nil, `no param "c"`},
	} {
		got, err := g.paramValues(test.set)
		if err != nil || test.err != "" {
			if err == nil || err.Error() != test.err {
				t.Errorf("%v: error is %v, want %s", test.set, err, test.err)
			}
			continue
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%v: values differ (-want +got):\n%s", test.set, diff)
		}
	}
}
