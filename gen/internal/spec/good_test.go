// SPDX-License-Identifier: Apache-2.0

package spec

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redsift/ingraind/gen/internal/diag"
)

// at makes the Value at a line and column of volume.yaml.
func at(line, col int, text string) Value {
	return Value{text, diag.Pos{File: "grains/volume.yaml", Line: line, Col: col}}
}

func literal(line, col int, text string, typ ParamType, number int64) Literal {
	return Literal{Value: at(line, col, text), Type: typ, Number: number}
}

func bound(line, col int, text string, typ ParamType, number int64) *Literal {
	l := literal(line, col, text, typ, number)
	return &l
}

func TestGrainHasEachValueAndItsPlace(t *testing.T) {
	got, mistakes := ParseGrain("grains/volume.yaml", []byte(read(t, "testdata/good/volume.yaml")))
	if err := mistakes.Err(); err != nil {
		t.Fatalf("got mistakes, want none:\n%v", err)
	}
	tcpSend := at(21, 14, "return/tcp_sendmsg")
	want := &Grain{
		File: "grains/volume.yaml",
		Name: at(2, 8, "volume"),
		Help: at(3, 7, "Bytes that programs move, by file and by socket."),
		Params: []Param{
			{
				Name: at(8, 3, "min_size"), Help: at(8, 56, "Smaller moves are ignored."), Type: Bytes,
				Default: literal(8, 23, "64KiB", Bytes, 65536),
				Min:     bound(8, 35, "0B", Bytes, 0),
				Max:     bound(8, 44, "1GiB", Bytes, 1<<30),
			},
			{
				Name: at(9, 3, "wait"), Help: at(10, 11, "Größe: shorter moves are ignored."), Type: Duration,
				Default: literal(11, 14, "1m30s", Duration, int64(90*time.Second)),
			},
			{
				Name: at(12, 3, "depth"), Help: at(12, 32, "How many directories to walk."), Type: Integer,
				Default: literal(12, 20, "0x1F", Integer, 31),
				Max:     bound(12, 70, "1_000", Integer, 1000),
			},
			{
				Name: at(13, 3, "all"), Help: at(13, 30, "Also what root moves."), Type: Bool,
				Default: literal(13, 18, "true", Bool, 1),
			},
			{
				Name: at(14, 3, "dirs"), Help: at(14, 44, "Moves below these alone."), Type: Paths,
				Default: Literal{Value: at(14, 19, ""), Type: Paths, Paths: []Value{at(14, 20, "/etc"), at(14, 26, "/srv/data")}},
			},
			{
				Name: at(15, 3, "dir"), Help: at(15, 30, "Moves below this alone."), Type: Paths,
				Default: Literal{Value: at(15, 18, "/etc"), Type: Paths, Paths: []Value{at(15, 18, "/etc")}},
			},
		},
		Probes: []Probe{
			{Name: at(18, 3, "moved"), Points: []Point{
				{Value: at(18, 11, "entry/vfs_read"), Kind: Entry, Target: "vfs_read"},
				{Value: at(18, 27, "fentry/vfs_write"), Kind: Fentry, Target: "vfs_write"},
			}},
			{Name: at(19, 3, "call"), Points: []Point{
				{Value: at(19, 9, "syscall/openat"), Kind: Syscall, Target: "openat"},
			}},
			{Name: at(20, 3, "called"), Points: []Point{
				{Value: at(20, 11, "syscall_return/openat2"), Kind: SyscallReturn, Target: "openat2"},
			}},
			{Name: at(21, 3, "sent"), Help: at(21, 40, "After the call."), Points: []Point{
				{Value: tcpSend, Kind: Return, Target: "tcp_sendmsg"},
			}},
			{Name: at(22, 3, "sent_fallback"), Unless: []Value{at(22, 83, "sent")}, Points: []Point{
				{Value: at(22, 24, "kprobe/tcp_sendmsg"), Kind: Kprobe, Target: "tcp_sendmsg"},
				{Value: at(22, 44, "kretprobe/tcp_sendmsg.isra.0"), Kind: Kretprobe, Target: "tcp_sendmsg.isra.0"},
			}},
			{Name: at(23, 3, "shell"), Points: []Point{
				{Value: at(23, 10, "uprobe//usr/bin/bash:readline"), Kind: Uprobe, Binary: "/usr/bin/bash", Target: "readline"},
			}},
			{Name: at(24, 3, "resolved"), Optional: true, Points: []Point{
				{Value: at(24, 18, "uretprobe/libc.so.6:getaddrinfo"), Kind: Uretprobe, Binary: "libc.so.6", Target: "getaddrinfo"},
			}},
			{Name: at(25, 3, "served"), Unless: []Value{at(25, 64, "shell"), at(25, 71, "call")}, Points: []Point{
				{Value: at(25, 16, "uprobe//opt/app/server:net/http.serve"), Kind: Uprobe, Binary: "/opt/app/server", Target: "net/http.serve"},
			}},
			{Name: at(26, 3, "switched"), Points: []Point{
				{Value: at(27, 7, "tracepoint/sched/sched_switch"), Kind: Tracepoint, Category: "sched", Target: "sched_switch"},
				{Value: at(28, 7, "raw_tp/sched_wakeup"), Kind: RawTP, Target: "sched_wakeup"},
				{Value: at(29, 7, "tp_btf/sched_wakeup_new"), Kind: TPBTF, Target: "sched_wakeup_new"},
				{Value: at(30, 7, "fexit/do_exit"), Kind: Fexit, Target: "do_exit"},
			}},
		},
		Events: []Event{
			{
				Name: at(33, 3, "move"), Help: at(34, 11, "Bytes were moved."), Stream: Stream{On: true},
				Sinks: []Value{at(36, 13, "console"), at(36, 22, "file")},
				Fields: []Field{
					{Path: at(38, 7, "peer_port"), Label: at(38, 26, "port"), Help: at(38, 38, "Remote port.")},
					{Path: at(39, 7, "who.pid"), Hide: true},
				},
			},
			{Name: at(40, 3, "open"), Help: at(40, 16, "A file was opened."), Stream: Stream{On: true}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("grain (-want +got):\n%s", diff)
	}
}

func TestAgentHasEachValueAndItsPlace(t *testing.T) {
	got, mistakes := ParseAgent("agent.yaml", []byte(read(t, "testdata/good/agent.yaml")))
	if err := mistakes.Err(); err != nil {
		t.Fatalf("got mistakes, want none:\n%v", err)
	}
	at := func(line, col int, text string) Value {
		return Value{text, diag.Pos{File: "agent.yaml", Line: line, Col: col}}
	}
	want := &Agent{
		File: "agent.yaml",
		Name: at(2, 8, "ingraind"),
		Help: at(3, 7, "Watches a machine from inside its kernel."),
		Grains: []Value{
			at(6, 5, "exec"),
			at(7, 5, "example.org/site/v2/generated/backup-jobs"),
		},
		Sinks: []Value{at(8, 9, "console"), at(8, 18, "example.org/site/sink_x")},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("agent (-want +got):\n%s", diff)
	}
}

func TestValuesStandWhereTheySay(t *testing.T) {
	src := read(t, "testdata/good/volume.yaml")
	g, _ := ParseGrain("grains/volume.yaml", []byte(src))
	lines := strings.Split(src, "\n")
	count := 0
	eachValue(reflect.ValueOf(g), func(v Value) {
		count++
		rest := lines[v.Pos.Line-1][v.Pos.Col-1:]
		if !strings.HasPrefix(strings.TrimLeft(rest, `"'`), v.Text) && rest != ">" {
			t.Errorf("%s: got %q there, want %q", v.Pos, rest, v.Text)
		}
	})
	if count < 50 {
		t.Errorf("looked at %d values, want at least 50", count)
	}
}

func TestMistakesLeaveTheRest(t *testing.T) {
	g, mistakes := ParseGrain("x.yaml", []byte(`grain: x
help: Files that programs open.
params: [1]
probes: {opened: [syscall/openat, what/ever, syscall/openat2], closed: 5}
events: {open: {help: A file was opened., stream: 5}}
`))
	if got := mistakes.Len(); got != 4 {
		t.Fatalf("got %d mistakes, want 4:\n%v", got, mistakes.Err())
	}
	got := fmt.Sprintln(g.Name.Text, len(g.Params), len(g.Probes), len(g.Probes[0].Points), g.Events[0].Stream.On)
	if want := "x 0 2 2 true\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// eachValue calls visit with every Value within v that the file has.
func eachValue(v reflect.Value, visit func(Value)) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			eachValue(v.Elem(), visit)
		}
	case reflect.Slice:
		for i := range v.Len() {
			eachValue(v.Index(i), visit)
		}
	case reflect.Struct:
		if value, ok := v.Interface().(Value); ok {
			if value.Given() {
				visit(value)
			}
			return
		}
		for i := range v.NumField() {
			eachValue(v.Field(i), visit)
		}
	}
}
