// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/redsift/ingraind/runtime"
)

// found is what one kernel makes of all grains.
type found struct {
	Release, Arch string
	CPUs          int
	Grains        []ran
}

// ran is a grain on a kernel.
type ran struct {
	Grain        string
	Mechanisms   []string // of its probes, each once
	Why          string   // it cannot run
	Instructions int      // of all its programs
	Verified     int
	Load         time.Duration // until it was loaded and attached
}

// look tries each grain here.
func look() (*found, error) {
	k, err := runtime.RunningKernel("")
	if err != nil {
		return nil, err
	}
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return nil, err
	}
	f := &found{Release: unix.ByteSliceToString(name.Release[:]), Arch: unix.ByteSliceToString(name.Machine[:]), CPUs: k.CPUs}
	shared, err := k.Share(runtime.SharedOptions{})
	if err != nil {
		return nil, err
	}
	defer shared.Close()
	for _, g := range slices.Concat(stock(), examples()) {
		f.Grains = append(f.Grains, try(k, shared, g))
	}
	return f, nil
}

// try plans, loads, attaches and ends a grain.
func try(k *runtime.Kernel, shared *runtime.Shared, g *runtime.Grain) ran {
	on := map[string][]string{}
	for i := range g.Probes {
		for j := range g.Probes[i].Points {
			for n := range g.Probes[i].Points[j].Ways {
				switch w := &g.Probes[i].Points[j].Ways[n]; w.Mechanism {
				case runtime.Uprobe, runtime.UprobeMulti, runtime.Uretprobe, runtime.UretprobeMulti: // in this program
					if strings.HasPrefix(g.Probes[i].Points[j].At, "usdt/") {
						break // it has none
					}
					w.Target = self() + ":runtime.main"
				case runtime.XDP, runtime.TCX, runtime.Clsact, runtime.Socket: // the one that any machine has
					on[g.Name+"."+g.Probes[i].Name] = []string{"lo"}
				}
			}
		}
	}
	r := ran{Grain: g.Name}
	begun := time.Now()
	plan := k.Plan(g, runtime.PlanOptions{On: on})
	loaded, err := plan.Load(shared, runtime.LoadOptions{})
	if err == nil {
		err = loaded.Attach()
	}
	if r.Load = time.Since(begun); err != nil {
		r.Why = why(err)
		return r
	}
	defer loaded.Close()
	for _, p := range loaded.Plan().Placements {
		if m := string(p.Mechanism); m != "" && !slices.Contains(r.Mechanisms, m) {
			r.Mechanisms = append(r.Mechanisms, m)
		}
	}
	sizes, err := loaded.Sizes()
	if err != nil {
		r.Why = why(err)
	}
	for _, s := range sizes {
		r.Instructions, r.Verified = r.Instructions+s.Instructions, r.Verified+s.Verified
	}
	return r
}

func self() string {
	path, _ := os.Executable()
	return path
}

// why is the first line of an error, in which this program has no path.
func why(err error) string {
	text, _, _ := strings.Cut(err.Error(), "\n")
	return strings.ReplaceAll(text, self(), "the program at hand")
}
