// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/redsift/ingraind/runtime"
)

var update = flag.Bool("update", false, "write the goldens")

// fakeRunner keeps what it was asked, and answers as it is told.
type fakeRunner struct {
	order     runtime.Options
	called    int
	recording []byte
	work      func(ctx context.Context, o runtime.Options) (runtime.Ledger, error)
	plans     []*runtime.Plan
	err       error
}

func (f *fakeRunner) run(ctx context.Context, o runtime.Options) (runtime.Ledger, error) {
	f.order, f.called = o, f.called+1
	if o.Started != nil {
		o.Started(nil)
	}
	if f.work != nil {
		return f.work(ctx, o)
	}
	return runtime.Ledger{}, f.err
}

func (f *fakeRunner) check([]*runtime.Grain, runtime.PlanOptions, string, bool) ([]*runtime.Plan, error) {
	f.called++
	return f.plans, f.err
}

func (f *fakeRunner) replay(ctx context.Context, recording io.Reader, o runtime.Options) (runtime.Ledger, error) {
	f.recording, _ = io.ReadAll(recording)
	return f.run(ctx, o)
}

// fakeSink says whether it was closed.
type fakeSink struct {
	runtime.Sink
	settings runtime.Settings
	closed   bool
}

func (f *fakeSink) Close() error { f.closed = true; return nil }

// opened are the sinks that were opened, by name.
type opened map[string]*fakeSink

func (o opened) part(name, help string, settings ...runtime.Setting) runtime.Part {
	return runtime.Part{Name: name, Help: help, Settings: settings, Open: func(s runtime.Settings) (runtime.Sink, error) {
		if strings.Contains(s["path"], "missing") {
			return nil, errors.New("path: no such directory")
		}
		o[name] = &fakeSink{settings: s}
		return o[name], nil
	}}
}

func testAgent() (Agent, opened) {
	sinks := opened{}
	who := []runtime.Field{
		{Name: "who.comm", Help: "The name of the process.", Type: runtime.TypeString},
		{Name: "who.pid", Help: "The process.", Type: runtime.TypePID},
	}
	return Agent{
		Name: "ingraind",
		Help: "Watches processes and connections of this machine from inside its kernel.",
		Grains: []*runtime.Grain{
			{
				Name: "conn", Help: "TCP connections, IPv4 and IPv6.",
				Params: []runtime.Param{
					{Name: "idle", Help: "Forget a socket after this long.", Type: runtime.Duration, Default: 60e9, Min: 1e9, Max: 3600e9},
				},
				Probes: []runtime.Probe{{Name: "changed", Points: []runtime.Point{{At: "tracepoint/sock/inet_sock_set_state"}}}, {Name: "sent", Points: []runtime.Point{{At: "cgroup_skb/egress", Ways: []runtime.Way{{Mechanism: runtime.Cgroup}}}}}},
				Events: []runtime.Event{{Name: "connect", Help: "A connection was attempted.", Stream: true, Fields: append(who, runtime.Field{Name: "peer", Help: "The other end.", Type: runtime.TypeIP})}},
			},
			{
				Name: "exec", Help: "Processes: their start, with all arguments, and their end.",
				Params: []runtime.Param{
					{Name: "args", Help: "Report arguments.", Type: runtime.Bool, Default: 1},
					{Name: "max_args", Help: "Longer argument lists are cut there.", Type: runtime.Bytes, Default: 4096, Min: 0, Max: 64 << 10},
					{Name: "max_depth", Help: "How many directories of a path are walked.", Type: runtime.Integer, Default: 32, Min: 1, Max: 64},
				},
				Probes: []runtime.Probe{
					{Name: "started", Points: []runtime.Point{{At: "tracepoint/sched/sched_process_exec"}}},
					{Name: "started_old", Unless: []string{"started"}, Points: []runtime.Point{{At: "entry/begin_new_exec"}, {At: "entry/flush_old_exec"}}},
				},
				Events: []runtime.Event{
					{Name: "exec", Help: "A process was started.", Stream: true, Fields: who},
					{Name: "exit", Help: "A process ended.", Stream: true, Fields: who},
				},
			},
		},
		Sinks: []runtime.Part{
			sinks.part("console", "Prints to standard output.", runtime.Setting{Name: "format", Default: "auto", Help: "text, json, or auto, which is text on a terminal."}),
			sinks.part("file", "Writes NDJSON to a file, and rotates it.",
				runtime.Setting{Name: "path", Help: "Where to write."}, runtime.Setting{Name: "size", Default: "64MiB", Help: "Rotate when so large."}),
		},
	}, sinks
}

// call runs the agent as root, with a fake runtime.
type call struct {
	agent   Agent
	env     Env
	fake    *fakeRunner
	sinks   opened
	out     bytes.Buffer
	errs    bytes.Buffer
	signals chan os.Signal
}

func newCall() *call {
	c := &call{fake: &fakeRunner{}, signals: make(chan os.Signal)}
	c.agent, c.sinks = testAgent()
	c.env = Env{
		Stdin: strings.NewReader("from stdin"), Stdout: &c.out, Stderr: &c.errs, Terminal: true, runner: c.fake,
		Signals: func() (<-chan os.Signal, func()) { return c.signals, func() {} },
	}
	return c
}

func (c *call) run(args ...string) int { return Run(context.Background(), c.agent, args, c.env) }

// file writes a file of the test.
func file(t *testing.T, name, text string) string {
	t.Helper()
	name = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// golden compares with testdata/name.
func golden(t *testing.T, name, got string) {
	t.Helper()
	name = filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatalf("%v (go test -update writes it)", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (go test -update writes it), -want +got:\n%s", name, diff)
	}
}

func TestRunWithoutArgumentsWatchesWithAllGrainsOnTheConsole(t *testing.T) {
	for _, args := range [][]string{nil, {"run"}} {
		c := newCall()
		if code := c.run(args...); code != 0 {
			t.Fatalf("%q: got exit code %d, want 0: %s", args, code, &c.errs)
		}
		o := c.fake.order
		if len(o.Grains) != 2 || len(o.Lanes) != 1 || o.Lanes[0].Name != "console" || o.Lanes[0].Sink != c.sinks["console"] {
			t.Errorf("%q: got %d grains and lanes %v, want 2 and the console", args, len(o.Grains), o.Lanes)
		}
		if o.Transport != "" || o.Rings != 0 || o.Latency != 0 || o.Record != nil || len(o.Params) != 0 {
			t.Errorf("%q: got %+v, want the defaults", args, o)
		}
		if got := c.sinks["console"].settings["format"]; got != "auto" {
			t.Errorf("%q: got format %q, want the console's default auto", args, got)
		}
	}
}

func TestRunTakesFlags(t *testing.T) {
	c := newCall()
	recording := filepath.Join(t.TempDir(), "events.rec")
	code := c.run("--grains", "exec", "-param", "exec.max_args=8KiB", "-param=exec.args=false", "-sink", "console", `-sink=file:path=/a\,b=c:d,size=1MiB`,
		"-o", "json", "-latency", "10ms", "-rings", "4MiB", "-transport", "perf", "-record", recording, "-v", "-for", "1h")
	if code != 0 {
		t.Fatalf("got exit code %d: %s", code, &c.errs)
	}
	o := c.fake.order
	if len(o.Grains) != 1 || o.Grains[0].Name != "exec" {
		t.Errorf("got grains %v, want exec", o.Grains)
	}
	if diff := cmp.Diff(map[string]int64{"exec.max_args": 8192, "exec.args": 0}, o.Params); diff != "" {
		t.Errorf("params, -want +got:\n%s", diff)
	}
	if o.Latency != 10e6 || o.Rings != 4<<20 || o.Transport != "perf" || o.Record == nil {
		t.Errorf("got %+v", o)
	}
	if diff := cmp.Diff(runtime.Settings{"path": "/a,b=c:d", "size": "1MiB"}, c.sinks["file"].settings); diff != "" {
		t.Errorf("file, -want +got:\n%s", diff)
	}
	if got := c.sinks["console"].settings["format"]; got != "json" {
		t.Errorf("got format %q, want json", got)
	}
	info, err := os.Stat(recording)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got a recording %v, %v, want one that others cannot read", info, err)
	}
}

func TestWhatAProbeIsAtComesFromTheFileOrFlags(t *testing.T) {
	name := file(t, "agent.yaml", "on: {conn.sent: [/a, /b]}\n")
	for want, args := range map[string][]string{
		"/a /b":   {"-config", name},
		"/c /d/e": {"-config", name, "-on", "conn.sent=/c, /d/e"},
	} {
		c := newCall()
		if code := c.run(args...); code != 0 {
			t.Fatalf("%v: got exit code %d: %s", args, code, &c.errs)
		}
		if got := strings.Join(c.fake.order.On["conn.sent"], " "); got != want {
			t.Errorf("%v: got %q, want %q", args, got, want)
		}
	}
}

func TestFlagsWinOverTheFile(t *testing.T) {
	c := newCall()
	name := file(t, "agent.yaml", `
grains: [exec]
sinks: {file: {path: /tmp/a}}
params: {exec.max_args: 64, exec.max_depth: 8}
latency: 20ms
rings: 2MiB
transport: perf
`)
	if code := c.run("-config", name); code != 0 {
		t.Fatalf("got exit code %d: %s", code, &c.errs)
	}
	o := c.fake.order
	if len(o.Grains) != 1 || len(o.Lanes) != 1 || o.Lanes[0].Name != "file" || o.Latency != 20e6 || o.Rings != 2<<20 || o.Transport != "perf" {
		t.Errorf("the file alone: got %+v", o)
	}
	if code := c.run("-grains", "exec,conn", "-latency", "2ms", "-sink", "console", "-param", "exec.max_args=65", "-transport", "ring", "-rings", "1MiB", "-config", name); code != 0 {
		t.Fatalf("got exit code %d: %s", code, &c.errs)
	}
	o = c.fake.order
	if len(o.Grains) != 2 || len(o.Lanes) != 1 || o.Lanes[0].Name != "console" || o.Latency != 2e6 || o.Rings != 1<<20 || o.Transport != "ring" {
		t.Errorf("with flags: got %+v", o)
	}
	if diff := cmp.Diff(map[string]int64{"exec.max_args": 65, "exec.max_depth": 8}, o.Params); diff != "" {
		t.Errorf("params, -want +got:\n%s", diff)
	}
}

func TestMistakesOnTheCommandLineExit2AndSayTheFix(t *testing.T) {
	for _, test := range []struct {
		args string
		want string
	}{
		{"rum", `unknown verb "rum"; did you mean "run"?`},
		{"frobnicate", `unknown verb "frobnicate"; known: run, check, list, config, replay, version, help, completion`},
		{"-v list", `the verb comes first: ingraind list`},
		{"-v zzz", `run takes no arguments, got ["zzz"]`},
		{"-sinks console", `unknown flag "sinks"; did you mean "sink"?`},
		{"-sink", `flag needs an argument: -sink`},
		{"-v=maybe", `invalid boolean value "maybe" for -v: want true or false`},
		{"-grains exce", `-grains: unknown grain "exce"; did you mean "exec"?`},
		{"-grains exec,exec", `-grains: grain exec is named twice`},
		{"-grains=", `-grains: unknown grain ""; known: conn, exec`},
		{"-param exec.max_arg=3", `-param: unknown param "exec.max_arg"; did you mean "exec.max_args"?`},
		{"-param max_args=3", `-param: unknown param "max_args"; known: conn.idle, exec.args, exec.max_args, exec.max_depth`},
		{"-param exec.max_args", `invalid value "exec.max_args" for flag -param: a param is set as GRAIN.NAME=VALUE`},
		{"-param exec.max_args=1MiB", `-param: param exec.max_args: 1MiB is not between 0B and 64KiB`},
		{"-param exec.max_args=much", `-param: param exec.max_args: "much" is no amount of bytes such as 512B, 64KiB or 5MB`},
		{"-param exec.max_depth=64KiB", `-param: param exec.max_depth: "64KiB" is no integer`},
		{"-param exec.max_depth=0", `-param: param exec.max_depth: 0 is not between 1 and 64`},
		{"-param exec.args=perhaps", `-param: param exec.args: "perhaps" is neither true nor false`},
		{"-param conn.idle=5", `-param: param conn.idle: "5" is no duration such as 10ms or 5s`},
		{"-grains exec -param conn.idle=5s", `-param: conn.idle: grain conn is not among those to run`},
		{"-sink consle", `-sink: unknown sink "consle"; did you mean "console"?`},
		{"-sink file:pth=/x", `-sink: sink file: unknown key "pth"; did you mean "path"?`},
		{"-sink file:path", `invalid value "file:path" for flag -sink: "path" is no KEY=VALUE`},
		{"-sink console -sink console", `-sink: sink console is named twice`},
		{"-sink file -o json", `-o: this is how the console writes, and it is not among the sinks: add -sink console`},
		{"-o yaml", `invalid value "yaml" for flag -o: want json or text`},
		{"-latency 5", `invalid value "5" for flag -latency: want a duration up to 100ms, such as 10ms`},
		{"-latency 5s", `invalid value "5s" for flag -latency: want a duration up to 100ms, such as 10ms`},
		{"-rings 0", `invalid value "0" for flag -rings: want some memory, such as 1MiB`},
		{"-rings 1MB2", `invalid value "1MB2" for flag -rings: "1MB2" is no amount of bytes such as 512B, 64KiB or 5MB`},
		{"-transport prf", `invalid value "prf" for flag -transport: unknown transport "prf"; did you mean "perf"?`},
		{"-for 0s", `invalid value "0s" for flag -for: want a duration such as 5s or 1h`},
		{"-config /nonexistent.yaml", `-config: open /nonexistent.yaml: no such file or directory`},
		{"list execs", `unknown grain or sink "execs"; did you mean "exec"?`},
		{"replay", `replay needs a recording: a file, or - for standard input`},
		{"replay a b", `replay takes one argument, got ["a" "b"]`},
		{"replay -param exec.args=true a", `unknown flag "param"; known: help, sink, o, config, v`},
		{"help lst", `unknown verb "lst"; did you mean "list"?`},
		{"completion", `completion needs a shell: bash, zsh, fish`},
		{"completion bsh", `unknown shell "bsh"; did you mean "bash"?`},
		{"version now", `version takes no arguments, got ["now"]`},
	} {
		c := newCall()
		code := c.run(strings.Fields(test.args)...)
		first, _, _ := strings.Cut(c.errs.String(), "\n")
		if code != 2 || first != "ingraind: "+test.want {
			t.Errorf("%s: got exit code %d and\n%s\nwant 2 and\ningraind: %s", test.args, code, first, test.want)
		}
		if c.out.Len() > 0 || c.fake.called > 0 {
			t.Errorf("%s: got %q on standard output and %d calls of the runtime, want none", test.args, &c.out, c.fake.called)
		}
	}
}

func TestRunWithoutRootSaysInALineWhatItNeeds(t *testing.T) {
	const bpf, perfmon, admin = 1 << unix.CAP_BPF, 1 << unix.CAP_PERFMON, 1 << unix.CAP_SYS_ADMIN
	for _, test := range []struct {
		euid         int
		capabilities uint64
		want         int
	}{
		{0, 0, 0}, {1000, 0, 1}, {1000, bpf, 1}, {1000, perfmon, 1}, {1000, bpf | perfmon, 0}, {1000, admin, 0},
	} {
		c := newCall()
		c.env.EUID, c.env.Capabilities = test.euid, test.capabilities
		if code := c.run(); code != test.want {
			t.Errorf("user %d with capabilities %x: got exit code %d, want %d", test.euid, test.capabilities, code, test.want)
		}
		want := ""
		if test.want == 1 {
			want = "ingraind: watching needs root, or the capabilities CAP_BPF and CAP_PERFMON: try sudo ingraind\n"
		}
		if got := c.errs.String(); got != want {
			t.Errorf("user %d with capabilities %x: got %q, want %q", test.euid, test.capabilities, got, want)
		}
		if test.want == 1 && (c.fake.called > 0 || len(c.sinks) > 0) {
			t.Errorf("user %d: got a call of the runtime, or an open sink", test.euid)
		}
	}
}

func TestRunRefusesEventsThatReachNoSink(t *testing.T) {
	c := newCall()
	c.agent.Grains[1].Events[0].Sinks = []string{"s3", "file"}
	if code := c.run(); code != 2 || c.errs.String() != "ingraind: event exec.exec goes to s3, file and reaches no sink: add -sink s3\n" {
		t.Errorf("got exit code %d and %q", code, &c.errs)
	}
	if code := c.run("-sink", "file:path=/x"); code != 0 {
		t.Errorf("with the file: got exit code %d and %q", code, &c.errs)
	}
	if code := c.run("-grains", "conn"); code != 0 {
		t.Errorf("without the grain: got exit code %d and %q", code, &c.errs)
	}

	c = newCall()
	c.agent.Sinks = c.agent.Sinks[1:]
	if code := c.run(); code != 2 || c.errs.String() != "ingraind: no sink is configured, and this agent has no console: add -sink with one of file\n" {
		t.Errorf("got exit code %d and %q", code, &c.errs)
	}
}

func TestASinkThatDoesNotOpenClosesTheOthers(t *testing.T) {
	c := newCall()
	if code := c.run("-sink", "console", "-sink", "file:path=/missing/x"); code != 1 {
		t.Errorf("got exit code %d, want 1", code)
	}
	if got, want := c.errs.String(), "ingraind: -sink: sink file: path: no such directory\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if !c.sinks["console"].closed || c.fake.called > 0 {
		t.Errorf("got the console closed: %v, and %d calls of the runtime, want true and 0", c.sinks["console"].closed, c.fake.called)
	}
	c = newCall()
	if code := c.run("-record", "/nonexistent/x"); code != 1 || !c.sinks["console"].closed {
		t.Errorf("a recording that cannot be made: got exit code %d, console closed: %v, want 1 and true", code, c.sinks["console"].closed)
	}
}

func TestReplayNeedsNoRootAndTakesTheSameSinks(t *testing.T) {
	name := file(t, "events.rec", "a recording")
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"replay", name, "-o", "json", "-sink", "console"}, "a recording"},
		{[]string{"replay", "-o=json", "--", name}, "a recording"},
		{[]string{"replay", "-o=json", "-"}, "from stdin"},
	} {
		c := newCall()
		c.env.EUID = 1000
		if code := c.run(test.args...); code != 0 {
			t.Fatalf("%q: got exit code %d: %s", test.args, code, &c.errs)
		}
		if got := string(c.fake.recording); got != test.want {
			t.Errorf("%q: got recording %q, want %q", test.args, got, test.want)
		}
		if len(c.fake.order.Grains) != 2 || c.sinks["console"].settings["format"] != "json" {
			t.Errorf("%q: got %+v", test.args, c.fake.order)
		}
	}
	c := newCall()
	if code := c.run("replay", "/nonexistent.rec"); code != 1 || c.errs.String() != "ingraind: replay: open /nonexistent.rec: no such file or directory\n" {
		t.Errorf("got exit code %d and %q", code, &c.errs)
	}
}

func TestRunSaysWhatWentWrong(t *testing.T) {
	c := newCall()
	c.fake.err = errors.New("no grain can run here")
	if code := c.run(); code != 1 || c.errs.String() != "ingraind: no grain can run here\n" {
		t.Errorf("on a terminal: got exit code %d and %q", code, &c.errs)
	}
	c.env.Terminal = false
	c.errs.Reset()
	if code := c.run(); code != 1 || !strings.Contains(c.errs.String(), `"level":"ERROR","msg":"run","error":"no grain can run here"`) {
		t.Errorf("elsewhere: got exit code %d and %q", code, &c.errs)
	}
}
