// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestFunctionsOfModulesAndOfSeveralBodiesAreNoMatch(t *testing.T) {
	list := "__ftrace_invalid_address___8\nvfs_open\nvfs_read.cold\nshow\nvfs_write\nshow\next4_open [ext4]\n"
	got, err := functionsIn(strings.NewReader(list))
	if want := []string{"vfs_open", "vfs_write"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
}

func TestPatternsTakeOneLinkOrABoundedNumber(t *testing.T) {
	names := func(n int) (all []string) {
		for i := range n {
			all = append(all, fmt.Sprintf("vfs_%03d", i))
		}
		return all
	}
	none := errors.New("this kernel has no kprobe.multi (since 5.18, CONFIG_FPROBE)")
	for _, test := range []struct {
		name      string
		functions []string
		multi     error
		args      []string
		want      Mechanism
		count     int
		err       string
	}{
		{"one link", names(500), nil, nil, KprobeMulti, 500, ""},
		{"one by one", names(100), none, nil, Kprobe, 100, ""},
		{"too many", names(101), none, nil, "", 0, "kprobe: 101 functions match vfs_*; without kprobe.multi at most 100 are probed one by one: narrow the pattern"},
		{"none", []string{"tcp_connect"}, nil, nil, "", 0, "no function of this kernel that can be probed matches vfs_*"},
		{"those with the argument", []string{"vfs_a", "vfs_b", "vfs_d", "tcp_a"}, nil, []string{"file"}, KprobeMulti, 2, ""},
		{"elsewhere", []string{"vfs_a", "vfs_c"}, nil, []string{"file"}, "", 0, "vfs_a and vfs_c have file in different places: narrow the pattern vfs_*"},
		{"with no such argument", []string{"vfs_d"}, nil, []string{"file"}, "", 0, `no function that matches vfs_* will do; the last: vfs_d has no argument "file" in this kernel; it has fd`},
	} {
		t.Run(test.name, func(t *testing.T) {
			k := kernelOf(t, "vfs_a(file)", "vfs_b(file, n)", "vfs_c(n, file)", "vfs_d(fd)", "tcp_a(file)")
			k.KprobeMulti = func() error { return test.multi }
			k.Functions = func() ([]string, error) { return test.functions, nil }
			g := &Grain{Name: "g", Probes: []Probe{{Name: "p", Args: test.args, Points: []Point{{At: "entry/vfs_*", Bind: "p_at", Ways: []Way{
				{KprobeMulti, "vfs_*", []string{"p_kprobe_multi"}}, {Kprobe, "vfs_*", []string{"p_kprobe"}},
			}}}}}}
			p := k.Plan(g, PlanOptions{})
			if test.err != "" {
				if p.Err == nil || !strings.Contains(p.Err.Error(), test.err) {
					t.Errorf("error is %v, want %s", p.Err, test.err)
				}
				return
			}
			if p.Err != nil || p.Placements[0].Mechanism != test.want || len(p.chosen[0].functions) != test.count {
				t.Errorf("placed as %+v, %v", p.Placements, p.Err)
			}
		})
	}
}
