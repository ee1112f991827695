// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
	"os/exec"
	goruntime "runtime"
	"slices"
	"strings"
	"testing"

	"github.com/redsift/ingraind/examples/grains/generated/lookups"
	"github.com/redsift/ingraind/runtime"
)

// choir is a program that calls each of its functions sing000, sing001 ... once
// and gets from each its number.
func choir(count int) tiny {
	p := tiny{machine: elf.EM_X86_64}
	end := []byte{0x31, 0xff, 0xb8, 60, 0, 0, 0, 0x0f, 0x05}                   // exit(0)
	sing := func(n int) []byte { return []byte{0xb8, byte(n), 0, 0, 0, 0xc3} } // mov eax, n; ret
	call := func(distance int) []byte {
		return binary.LittleEndian.AppendUint32([]byte{0xe8}, uint32(distance-5))
	}
	if goruntime.GOARCH == "arm64" {
		p.machine, end = elf.EM_AARCH64, little(0xd2800000, 0xd2800ba8, 0xd4000001)
		sing = func(n int) []byte { return little(0xd2800000|uint32(n)<<5, 0xd65f03c0) }    // mov x0, n; ret
		call = func(distance int) []byte { return little(0x94000000 | uint32(distance/4)) } // bl
	}
	start := count*len(call(0)) + len(end)
	for n := range count {
		p.functions = append(p.functions, function{fmt.Sprintf("sing%03d", n), start + n*len(sing(n))})
		p.code = append(p.code, call(p.functions[n].at-len(p.code))...)
	}
	p.code = append(p.code, end...)
	for n := range count {
		p.code = append(p.code, sing(n)...)
	}
	return p
}

func TestListsAndPatternsAreAtAllFunctionsOfAProgramThatTheyMean(t *testing.T) {
	program := choir(100).write(t)
	for _, probe := range []struct{ name, event string }{{"asked", "ask"}, {"answered", "answer"}} {
		for _, list := range []struct {
			names string
			want  []int64
		}{
			{"sing01*", []int64{10, 11, 12, 13, 14, 15, 16, 17, 18, 19}},
			{"sing*7,sing042", []int64{7, 17, 27, 37, 42, 47, 57, 67, 77, 87, 97}},
			{"sing001,sing001", []int64{1}},
		} {
			g := func() *runtime.Grain { return at(program+":"+list.names, alone(lookups.New(), probe.name)) }
			t.Run(probe.name+" "+list.names, func(t *testing.T) {
				eachLink(t, g, func(t *testing.T, o runtime.Options) {
					agent := start(t, o, g())
					cmd := exec.Command(program)
					if err := cmd.Run(); err != nil {
						t.Fatal(err)
					}
					rows, _ := stop(t, agent)
					who := map[string]string{"who.pid": fmt.Sprint(cmd.Process.Pid)}
					if n := count(rows, probe.event, who); n != len(list.want) {
						t.Errorf("got %d events, want %d", n, len(list.want))
					}
					if probe.event == "ask" {
						return
					}
					var got []int64
					for _, r := range rows {
						if has(r, who) {
							got = append(got, r.Int("result"))
						}
					}
					if !slices.Equal(got, list.want) {
						t.Errorf("got results %v, want %v", got, list.want)
					}
				})
			})
		}
	}
}

func TestManyFunctionsOfAProgramTakeOneLink(t *testing.T) {
	program := choir(150).write(t)
	for _, probe := range []struct {
		name, event string
		multi, one  runtime.Mechanism
	}{{"asked", "ask", runtime.UprobeMulti, runtime.Uprobe}, {"answered", "answer", runtime.UretprobeMulti, runtime.Uretprobe}} {
		t.Run(probe.name, func(t *testing.T) {
			g := func() *runtime.Grain { return at(program+":sing*", alone(lookups.New(), probe.name)) }
			err := plan(t, by(probe.one, g())).Err
			if want := fmt.Sprintf("%[1]s: %[2]s:sing* is at 150 places; without %[1]s.multi at most 100 are probed one by one", probe.one, program); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %s", err, want)
			}
			if lacking(t, probe.multi, by(probe.multi, g())) {
				return
			}
			agent := start(t, runtime.Options{}, g())
			cmd := exec.Command(program)
			if err := cmd.Run(); err != nil {
				t.Fatal(err)
			}
			rows, _ := stop(t, agent)
			if n := count(rows, probe.event, map[string]string{"who.pid": fmt.Sprint(cmd.Process.Pid)}); n != 150 {
				t.Errorf("got %d events, want 150", n)
			}
		})
	}
}

// The C library's own functions, one of which programs call here.
func TestAnyOfSeveralFunctionsOfALibraryIsSeen(t *testing.T) {
	if _, err := exec.LookPath("getent"); err != nil {
		if !underEmulation() {
			t.Fatalf("this test needs getent of the C library: %v", err)
		}
		// A guest of another architecture than its host's has no libraries.
		want := "lookups: asked cannot run at uprobe/libc.so.6:getaddrinfo,gethostbyname*: uprobe: no library libc.so.6 on this machine"
		if err := plan(t, by(runtime.Uprobe, alone(lookups.New(), "asked"))).Err; err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
		return
	}
	agent := start(t, runtime.Options{}, lookups.New())
	cmd := exec.Command("getent", "ahosts", "127.0.0.1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("getent: %v\n%s", err, out)
	}
	rows, _ := stop(t, agent)
	who := fmt.Sprint(cmd.Process.Pid)
	if n := count(rows, "ask", map[string]string{"name": "127.0.0.1", "who.pid": who}); n != 1 {
		t.Errorf("got %d events ask, want 1: %v", n, rows)
	}
	if n := count(rows, "answer", map[string]string{"result": "0", "who.pid": who}); n != 1 {
		t.Errorf("got %d events answer, want 1: %v", n, rows)
	}
}
