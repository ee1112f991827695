// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"errors"
	"os"
	goruntime "runtime"
	"strings"
	"sync"
	"testing"

	"github.com/redsift/ingraind/runtime"
	"golang.org/x/sys/unix"
)

// lack is a kind of kernel, and the mechanisms that it is known not to have:
// each with what a user is told.
//
// Every kernel must deliver events through every mechanism, but for what
// stands here. The first row that fits counts. A kernel that fits none must
// have them all: when a test fails on a new one, either a mechanism was lost,
// which is a bug, or the kernel has none, which wants a row.
type lack struct {
	kernel string // in words
	fits   func(release, arch string) bool
	lacks  map[runtime.Mechanism]string
}

// noTCX is said where tcx is not, and clsact serves.
const noTCX = "this kernel has no tcx (since 6.6, CONFIG_NET_XGRESS)"

// noKprobeMulti is said where a pattern takes a kprobe for each function.
const noKprobeMulti = "this kernel has no kprobe.multi (since 5.18, CONFIG_FPROBE)"

// noUprobeMulti is said where a list or pattern of a program's functions, or a
// static probe, takes a uprobe for each place.
const noUprobeMulti = "this kernel has no uprobe.multi (since 6.6, CONFIG_UPROBES)"

var kernels = []lack{
	{"Debian's 5.10, x86-64, whose command line asks for no bpf among the security modules", func(release, arch string) bool {
		active, err := os.ReadFile("/sys/kernel/security/lsm")
		return strings.HasPrefix(release, "5.10.") && strings.HasSuffix(release, "-cloud-amd64") && (err != nil || !strings.Contains(string(active), "bpf"))
	}, map[runtime.Mechanism]string{
		runtime.TCX:            noTCX,
		runtime.KprobeMulti:    noKprobeMulti,
		runtime.UprobeMulti:    noUprobeMulti,
		runtime.UretprobeMulti: noUprobeMulti,
		runtime.LSM:            "bpf is not among the active security modules, lockdown, capability, yama, apparmor, tomoyo: the kernel's command line names them, lsm=lockdown,capability,yama,apparmor,tomoyo,bpf",
	}},
	{"Debian's, x86-64, before 6.6", func(release, arch string) bool {
		return strings.HasSuffix(release, "-cloud-amd64") && (strings.HasPrefix(release, "5.") || strings.HasPrefix(release, "6.1."))
	}, map[runtime.Mechanism]string{
		runtime.TCX:            noTCX,
		runtime.KprobeMulti:    noKprobeMulti,
		runtime.UprobeMulti:    noUprobeMulti,
		runtime.UretprobeMulti: noUprobeMulti,
	}},
	{"Debian's, x86-64", func(release, arch string) bool {
		return strings.HasSuffix(release, "-cloud-amd64")
	}, nil},
	{"Debian's, arm64 before 6.4", func(release, arch string) bool {
		return strings.HasSuffix(release, "-cloud-arm64") && (strings.HasPrefix(release, "5.") || strings.HasPrefix(release, "6.1."))
	}, map[runtime.Mechanism]string{
		runtime.Fentry:         "this kernel has no trampolines (arm64 has them since 6.4)",
		runtime.Fexit:          "this kernel has no trampolines (arm64 has them since 6.4)",
		runtime.FmodRet:        "this kernel has no trampolines (arm64 has them since 6.4)",
		runtime.LSM:            "this kernel has no trampolines (arm64 has them since 6.4)",
		runtime.TCX:            noTCX,
		runtime.KprobeMulti:    noKprobeMulti,
		runtime.UprobeMulti:    noUprobeMulti,
		runtime.UretprobeMulti: noUprobeMulti,
	}},
	{"Debian's, arm64 up to 6.12, without CONFIG_FPROBE", func(release, arch string) bool {
		return strings.HasSuffix(release, "-cloud-arm64") && strings.HasPrefix(release, "6.")
	}, map[runtime.Mechanism]string{
		runtime.KprobeMulti: noKprobeMulti,
	}},
	{"Debian's, arm64", func(release, arch string) bool {
		return strings.HasSuffix(release, "-cloud-arm64")
	}, nil},
	{"locked down and without CONFIG_KPROBES, as some virtual machines have it", func(string, string) bool {
		_, err := os.Stat("/sys/bus/event_source/devices/kprobe")
		return errors.Is(err, os.ErrNotExist)
	}, map[runtime.Mechanism]string{
		runtime.Fentry:      "this kernel forbids fentry programs",
		runtime.Fexit:       "this kernel forbids fexit programs",
		runtime.FmodRet:     "this kernel forbids fmod_ret programs",
		runtime.LSM:         "this kernel forbids lsm programs",
		runtime.KprobeMulti: noKprobeMulti,
		runtime.Kprobe:      "this kernel has no kprobes (CONFIG_KPROBE_EVENTS)",
		runtime.Kretprobe:   "this kernel has no kprobes (CONFIG_KPROBE_EVENTS)",
		runtime.Pair:        "this kernel has no kprobes (CONFIG_KPROBE_EVENTS)",
	}},
	{"any other", func(string, string) bool { return true }, nil},
}

// here is the row of the kernel that the tests run on.
func here(t *testing.T) lack {
	t.Helper()
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		t.Fatal(err)
	}
	release := unix.ByteSliceToString(name.Release[:])
	for _, k := range kernels {
		if k.fits(release, goruntime.GOARCH) {
			return k
		}
	}
	t.Fatalf("no row for kernel %s", release)
	return lack{}
}

// kernel is the one that the tests run on, as the runtime sees it.
var kernel = sync.OnceValues(func() (*runtime.Kernel, error) { return runtime.RunningKernel("") })

// plan is where a grain's probes would run here.
func plan(t *testing.T, g *runtime.Grain) *runtime.Plan {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("this test loads eBPF programs: run it as root")
	}
	k, err := kernel()
	if err != nil {
		t.Fatal(err)
	}
	return k.Plan(g, runtime.PlanOptions{})
}

// lacking asserts what a plan says of a mechanism that this kernel lacks. It
// reports whether that is so: if not, the test goes on, and the mechanism has
// to deliver.
func lacking(t *testing.T, m runtime.Mechanism, grains ...*runtime.Grain) bool {
	t.Helper()
	why, lacks := here(t).lacks[m]
	if !lacks {
		return false
	}
	for _, g := range grains {
		p := plan(t, g)
		for _, row := range p.Placements {
			want := g.Name + ": " + row.Probe + " cannot run at " + row.Point + ": " + string(m) + ": " + why
			if p.Err == nil || !strings.Contains(p.Err.Error(), want) {
				t.Errorf("this kernel is one of those %s; its plan says %v, want %q", here(t).kernel, p.Err, want)
			}
			if row.OK || len(row.Reasons) != 1 || row.Reasons[0] != string(m)+": "+why {
				t.Errorf("placed as %+v, want the reason %q", row, why)
			}
		}
	}
	return true
}

func TestTheFirstRowThatFitsSaysWhatAKernelLacks(t *testing.T) {
	for release, want := range map[string]string{
		"6.1.0-56-cloud-amd64":       "Debian's, x86-64, before 6.6",
		"7.3.4+deb13-cloud-amd64":    "Debian's, x86-64",
		"6.1.0-56-cloud-arm64":       "Debian's, arm64 before 6.4",
		"6.12.117+deb13-cloud-arm64": "Debian's, arm64 up to 6.12, without CONFIG_FPROBE",
		"7.3.4+deb13-cloud-arm64":    "Debian's, arm64",
	} {
		for _, k := range kernels {
			if k.fits(release, release[len(release)-5:]) {
				if k.kernel != want {
					t.Errorf("%s: got %s, want %s", release, k.kernel, want)
				}
				break
			}
		}
	}
}
