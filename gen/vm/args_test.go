// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"errors"
	"flag"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRunArgumentsAreRead(t *testing.T) {
	k := kernelWith(t, nil)
	k.Version = "test 1"
	environ := []string{"INGRAIN_A=1", "HOME=/home/x", "GOTRACEBACK=all", "SECRET=no", "WANTED=yes"}
	base := Options{Kernel: k, CPUs: 1, Timeout: 5 * time.Minute, Program: "x.test", Env: []string{"INGRAIN_A=1", "GOTRACEBACK=all"}}
	for _, test := range []struct {
		name string
		args string
		want func(o *Options)
	}{
		{"the least", "x.test", func(o *Options) {}},
		{"the program's own flags are its own", "x.test -test.v -m 5 -kernel no", func(o *Options) { o.Args = []string{"-test.v", "-m", "5", "-kernel", "no"} }},
		{"modules", "-mod veth,dummy -mod tun x.test", func(o *Options) { o.Modules = []string{"veth", "dummy", "tun"} }},
		{"files", "-file /bin/cat -file a:/b/c x.test", func(o *Options) { o.Files = []File{{"/bin/cat", "/bin/cat"}, {"a", "/b/c"}} }},
		{"environment", "-env WANTED -env MISSING -env B=2 x.test", func(o *Options) { o.Env = append(o.Env, "WANTED=yes", "B=2") }},
		{"sizes", "-smp 2 -m 2G -timeout 90s x.test", func(o *Options) { o.CPUs, o.MemoryMiB, o.Timeout = 2, 2048, 90*time.Second }},
		{"kernel command line", "-append lsm=bpf -append quiet x.test", func(o *Options) { o.Append = []string{"lsm=bpf", "quiet"} }},
		{"profiles come back", "x.test -test.outputdir=/out -test.coverprofile=c.out -test.cpuprofile=/tmp/cpu", func(o *Options) {
			o.Args = []string{"-test.outputdir=/out", "-test.coverprofile=c.out", "-test.cpuprofile=/tmp/cpu"}
			o.Back = []File{{"/out/c.out", "/out/c.out"}, {"/tmp/cpu", "/tmp/cpu"}}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := parseRun(append([]string{"-kernel", k.Dir}, strings.Fields(test.args)...), environ, io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			want := base
			want.Args = []string{}
			want.Env = append([]string{}, base.Env...)
			test.want(&want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestWrongArgumentsSayWhatIsWrong(t *testing.T) {
	k := kernelWith(t, nil)
	for _, test := range []struct{ args, want string }{
		{"", ""},
		{"walk", `no verb is called "walk"`},
		{"fetch", "which kernels? there are 5.10 6.1 6.12 6.18 7"},
		{"fetch -dir DIR 2.4", `no kernel is called "2.4"; there are 5.10, 6.1, 6.12, 6.18, 7`},
		{"fetch -dir DIR -arch sparc 6.1", `no architecture is called "sparc"; there are amd64 and arm64`},
		{"run", "run needs -kernel DIR and a program"},
		{"run -kernel DIR", "run needs -kernel DIR and a program"},
		{"run -kernel nowhere/6.1-amd64 x", "open kernel nowhere/6.1-amd64: no such folder here or above; `vmtest fetch` gets it"},
		{"run -kernel DIR -m many x", `memory "many" is not a size such as 512M or 2G`},
		{"run -kernel DIR -file : x", `invalid value ":" for flag -file: ":" is not HOST:GUEST`},
	} {
		t.Run(test.args, func(t *testing.T) {
			code, err := Main(t.Context(), strings.Fields(strings.ReplaceAll(test.args, "DIR", k.Dir)), io.Discard, io.Discard)
			if code == 0 || errText(err) != test.want {
				t.Errorf("got %d, %v; want %s", code, err, test.want)
			}
		})
	}
	if code, err := Main(t.Context(), []string{"run", "-help"}, io.Discard, io.Discard); code != 0 || err != nil || errors.Is(err, flag.ErrHelp) {
		t.Errorf("-help: got %d, %v; want 0", code, err)
	}
}
