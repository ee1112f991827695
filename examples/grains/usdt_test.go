// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"bufio"
	"debug/elf"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redsift/ingraind/examples/grains/generated/marks"
	"github.com/redsift/ingraind/examples/grains/generated/shop"
	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/runtimetest"
)

// eachLink runs a test by each of two mechanisms: one link at all places, where
// the kernel has that, and one at each. g makes the grain.
func eachLink(t *testing.T, g func() *runtime.Grain, test func(t *testing.T, o runtime.Options)) {
	for _, m := range []runtime.Mechanism{runtime.UprobeMulti, runtime.Uprobe, runtime.UretprobeMulti, runtime.Uretprobe} {
		if len(by(m, g()).Probes[0].Points[0].Ways) == 0 {
			continue
		}
		t.Run(string(m), func(t *testing.T) {
			if lacking(t, m, by(m, g())) {
				return
			}
			test(t, runtime.Options{Only: map[runtime.Mechanism]bool{m: true}})
		})
	}
}

// numbersOf are the numbers of each event that a process made, in their order.
func numbersOf(rows []runtimetest.Row, pid, count int) [][]int64 {
	var all [][]int64
	for _, r := range rows {
		if r.Int("who.pid") != int64(pid) {
			continue
		}
		array, _ := r.Get("number").([]any)
		var numbers []int64
		for _, n := range array[:min(len(array), count)] {
			i, _ := n.(json.Number).Int64()
			numbers = append(numbers, i)
		}
		all = append(all, numbers)
	}
	return all
}

// marker is a program with a site whose note says args, at which registers and
// memory have the values that wantMarked are of.
func marker(args ...string) tiny {
	data := []byte{1, 2, 0xfe, 0xff, 5, 0x80, 0x81, 8, 9, 10, 0xff, 0xff, 13, 14, 15, 16}
	p := tiny{machine: elf.EM_X86_64, data: data}
	number := func(opcode [2]byte, n uint64) {
		p.code = binary.LittleEndian.AppendUint64(append(p.code, opcode[:]...), n)
	}
	const length = 5*10 + 5 + 1 + 9
	number([2]byte{0x48, 0xbb}, 0x11223344fffffff6)       // mov rbx
	number([2]byte{0x48, 0xb9}, 0x8000000000000001)       // mov rcx
	number([2]byte{0x48, 0xba}, 0x1122334455668007)       // mov rdx
	number([2]byte{0x49, 0xb8}, 3)                        // mov r8
	number([2]byte{0x48, 0xbf}, tinyCode+length)          // mov rdi, data
	p.code = append(p.code, 0x68, 0xfb, 0xff, 0xff, 0xff) // push -5
	at := len(p.code)
	p.code = append(p.code,
		0x90,       // nop
		0x31, 0xff, // xor edi, edi
		0xb8, 60, 0, 0, 0, // mov eax, exit
		0x0f, 0x05, // syscall
	)
	if goruntime.GOARCH == "arm64" {
		p.machine, p.code = elf.EM_AARCH64, nil
		const length = 4 * (6*4 + 2 + 1 + 3)
		for register, n := range []uint64{1: 0x11223344fffffff6, 2: 0x8000000000000001, 3: 0x1122334455668007, 6: tinyCode + length, 7: 3, 8: (tinyCode + length) &^ 0xfff} {
			for half := range uint64(4) {
				if n == 0 {
					continue
				}
				move := uint32(0xf2800000) // movk
				if half == 0 {
					move = 0xd2800000 // movz
				}
				p.code = append(p.code, little(move|uint32(half)<<21|uint32(n>>(16*half)&0xffff)<<5|uint32(register))...)
			}
		}
		p.code = append(p.code, little(
			0x92800084, // mov x4, -5
			0xf81f0fe4, // str x4, [sp, -16]!
		)...)
		at = len(p.code)
		p.code = append(p.code, little(
			0xd503201f,                         // nop
			0xd2800000, 0xd2800ba8, 0xd4000001, // exit(0)
		)...)
	}
	p.functions = []function{{"table", len(p.code)}}
	p.sites = []site{{"tiny", "marked", strings.Join(args, " "), at}}
	return p
}

func TestArgumentsAreReadFromWhereverANoteSays(t *testing.T) {
	operands := map[string][]string{
		"amd64": {"-4@%ebx", "4@%ebx", "8@%rcx", "-2@%dx", "1@%dh", "-1@%dh", "-8@(%rsp)", "2@2(%rdi)", "-1@(%rdi,%r8,2)", "4@table+4(%rip)", "8@$table+1", "-4@$-7"},
		"arm64": {"-4@x1", "4@w1", "8@x2", "-2@x3", "1@x3", "-1@x1", "-8@[sp]", "2@[x6, 2]", "-1@[x6, x7, lsl 1]", "4@[x8, #:lo12:table+4]", "8@[x6, x7]", "-4@-7"},
	}[goruntime.GOARCH]
	want := map[string][]int64{
		"amd64": {-10, 4294967286, -1<<63 + 1, -32761, 0x80, -0x80, -5, 0xfffe, -127, 0x08818005, 0, -7},
		"arm64": {-10, 4294967286, -1<<63 + 1, -32761, 7, -10, -5, 0xfffe, -127, 0x08818005, 0, -7},
	}[goruntime.GOARCH]
	p := marker(operands...)
	if goruntime.GOARCH == "amd64" {
		want[10] = int64(tinyCode + p.functions[0].at + 1)
	} else {
		want[10] = int64(binary.LittleEndian.Uint64(p.data[3:]))
	}
	program := p.write(t)
	g := func() *runtime.Grain { return at(program+":tiny:marked", alone(marks.New(), "twelve")) }
	eachLink(t, g, func(t *testing.T, o runtime.Options) {
		for _, o.Transport = range transports {
			agent := start(t, o, g())
			cmd := exec.Command(program)
			if err := cmd.Run(); err != nil {
				t.Fatal(err)
			}
			rows, _ := stop(t, agent)
			if got := numbersOf(rows, cmd.Process.Pid, 12); len(got) != 1 || !slices.Equal(got[0], want) {
				t.Errorf("%s: got  %v\nwant %v", o.Transport, got, want)
			}
		}
	})
}

// An argument in memory that is not there makes no event of wrong numbers, and
// is counted.
func TestAnArgumentThatIsNotThereIsCounted(t *testing.T) {
	operands := map[string]string{"amd64": "8@%rcx 8@(%rcx)", "arm64": "8@x2 8@[x2]"}[goruntime.GOARCH]
	program := marker(operands).write(t)
	agent := start(t, runtime.Options{}, at(program+":tiny:marked", alone(marks.New(), "two")))
	cmd := exec.Command(program)
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	rows, ledger := stop(t, agent)
	if got := numbersOf(rows, cmd.Process.Pid, 2); len(got) > 0 {
		t.Errorf("got %v, want no event", got)
	}
	if books := ledger.Probes; len(books) != 1 || books[0].Missed != 1 {
		t.Errorf("books are %+v, want 1 missed", books)
	}
}

// shops are the ways in which the shop is compiled: with the notes' addresses
// fixed or not, arguments in registers, on the stack, beside a base or the
// code itself. For another architecture than the host's there are fewer.
func shops() []string {
	if goruntime.GOARCH == "arm64" && underEmulation() {
		return []string{"shop", "shop-fixed", "shop-plain", "shop-stripped"}
	}
	return []string{"shop", "shop-fixed", "shop-plain", "shop-stripped", "shop-clang", "shop-library"}
}

func TestProgramsOfCompilersAreUnderstood(t *testing.T) {
	for _, name := range shops() {
		program := compiled(t, name)
		file := program
		if name == "shop-library" {
			file = compiled(t, "libshop.so")
		}
		t.Run(name, func(t *testing.T) {
			understood(t, program, file, name == "shop-stripped" && goruntime.GOARCH == "amd64")
		})
	}
}

// understood has a program come to all its probes, which are in file. One of
// them says nothing without symbols.
func understood(t *testing.T, program, file string, stripped bool) {
	in := func(probes ...string) *runtime.Grain {
		return each(alone(marks.New(), probes...), func(_ *runtime.Probe, p *runtime.Point) {
			p.Ways = slices.Clone(p.Ways)
			for i := range p.Ways {
				p.Ways[i].Target = strings.Replace(p.Ways[i].Target, "/usr/local/bin/shop:", file+":", 1)
			}
		})
	}
	probes := []string{"twelve", "five", "three", "second", "two", "none"}
	want := [][]int64{
		{-5, -6000000000, 200, -300, 60000, -0x123456789abcdf0, -7, -8, 1 << 40, 4000000000, -6, -7},
		{-70000, -1, -2, 200, -3000000000},
		{-20, -4, -128},
		{-9},
		{1, 100}, {2, 200}, {3, 900}, {4, 1200},
		{}, {}, {}, {},
	}
	if stripped {
		why := file + ": arg1 of shop:globals is -4@counter(%rip): the file, which may be stripped, has no symbol counter"
		if err := plan(t, in("five")).Err; err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("got  %v\nwant %s", err, why)
		}
		probes, want = slices.Delete(probes, 1, 2), slices.Delete(want, 1, 2)
	}
	agent := start(t, runtime.Options{}, in(probes...))
	s := openShop(t, program)
	for _, what := range []string{"kinds", "globals", "indexed", "floats", "many"} {
		s.do(t, what)
	}
	rows, _ := stop(t, agent)
	for i := range want {
		want[i] = append(want[i], make([]int64, 12-len(want[i]))...)
	}
	got := numbersOf(rows, s.Process.Pid, 12)
	slices.SortFunc(want, slices.Compare)
	slices.SortFunc(got, slices.Compare)
	if !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// A program that was started before the agent looks at its semaphore, and so
// does the one that the agent leaves behind.
func TestSemaphoresSayThatSomebodyLooks(t *testing.T) {
	program := compiled(t, "shop")
	g := func() *runtime.Grain { return at(program+":shop:served", shop.New()) }
	eachLink(t, g, func(t *testing.T, o runtime.Options) {
		s := openShop(t, program)
		if said := s.do(t, "serve"); said != "serve 0 0" {
			t.Errorf("before: got %q", said)
		}
		agent := start(t, o, g())
		for range 3 {
			if said := s.do(t, "serve"); said != "serve 1 0" {
				t.Errorf("while an agent looks: got %q", said)
			}
		}
		rows, _ := stop(t, agent)
		if said := s.do(t, "serve"); said != "serve 0 0" {
			t.Errorf("after: got %q", said)
		}
		want := map[string]string{"item": "tea", "price": "-250", "left": "4000000000", "who.pid": fmt.Sprint(s.Process.Pid), "who.comm": filepath.Base(program)}
		if n := count(rows, "sale", want); n != 3 {
			t.Errorf("got %d events %v, want 3, of %v", n, want, rows)
		}
	})
}

// An agent that is killed leaves no semaphore behind.
func TestTheKernelTakesSemaphoresBack(t *testing.T) {
	program := compiled(t, "shop")
	s := openShop(t, program)
	cmd := role(t, "mark", "-o", "json")
	cmd.Env = append(cmd.Env, "INGRAIN_MARKED="+program+":shop:kinds")
	said, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	looks := func() bool { return s.do(t, "kinds") == "kinds 0 1" }
	for !looks() {
		time.Sleep(10 * time.Millisecond) // until the agent has attached; the test's time is the bound
	}
	if _, err := bufio.NewReader(said).ReadString('\n'); err != nil {
		t.Errorf("the agent says nothing: %v", err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	for looks() {
		time.Sleep(10 * time.Millisecond)
	}
}

// crowd is a program with count sites of one probe, the first argument of each
// of which is another number.
func crowd(count int) tiny {
	p := tiny{machine: elf.EM_X86_64}
	nop, end := []byte{0x90}, []byte{0x31, 0xff, 0xb8, 60, 0, 0, 0, 0x0f, 0x05}
	if goruntime.GOARCH == "arm64" {
		p.machine, nop, end = elf.EM_AARCH64, little(0xd503201f), little(0xd2800000, 0xd2800ba8, 0xd4000001)
	}
	for n := range count {
		p.sites = append(p.sites, site{"tiny", "crowd", "-4@" + constant(n) + " -4@" + constant(-9), len(p.code)})
		p.code = append(p.code, nop...)
	}
	p.code = append(p.code, end...)
	return p
}

// constant is a number as an operand.
func constant(n int) string {
	if goruntime.GOARCH == "arm64" {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("$%d", n)
}

func TestEachSiteOfAProbeIsSeen(t *testing.T) {
	program := crowd(8).write(t)
	g := func() *runtime.Grain { return at(program+":tiny:crowd", alone(marks.New(), "two")) }
	eachLink(t, g, func(t *testing.T, o runtime.Options) {
		agent := start(t, o, g())
		cmd := exec.Command(program)
		if err := cmd.Run(); err != nil {
			t.Fatal(err)
		}
		rows, ledger := stop(t, agent)
		var want [][]int64
		for n := range int64(8) {
			want = append(want, []int64{n, -9})
		}
		// The programs are as many as the sites, and share the books and tables.
		if books := ledger.Events; len(books) != 1 || books[0].Seen != 8 || books[0].Emitted != 8 {
			t.Errorf("books are %+v, want 8 events", books)
		}
		times := int64(0)
		for _, r := range rows {
			if r.Text("table") == "visits" && r.Int("pid") == int64(cmd.Process.Pid) {
				times += r.Int("times")
			}
		}
		if times != 8 {
			t.Errorf("the table has %d visits, want 8", times)
		}
		if got := numbersOf(rows, cmd.Process.Pid, 2); !slices.EqualFunc(got, want, slices.Equal) {
			t.Errorf("got  %v\nwant %v", got, want)
		}
	})
}

func TestSitesAreBounded(t *testing.T) {
	program := crowd(150).write(t)
	err := plan(t, at(program+":tiny:crowd", alone(marks.New(), "two"))).Err
	if want := "tiny:crowd has its arguments in more than 64 different places"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
	// Without arguments they are all alike.
	few := at(program+":tiny:crowd", alone(marks.New(), "none"))
	err = plan(t, by(runtime.Uprobe, few)).Err
	if want := "is at 150 places; without uprobe.multi at most 100 are probed one by one"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
	many := at(program+":tiny:crowd", alone(marks.New(), "none"))
	if lacking(t, runtime.UprobeMulti, by(runtime.UprobeMulti, many)) {
		return
	}
	agent := start(t, runtime.Options{}, many)
	cmd := exec.Command(program)
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	rows, _ := stop(t, agent)
	if got := numbersOf(rows, cmd.Process.Pid, 0); len(got) != 150 {
		t.Errorf("got %d events, want 150", len(got))
	}
}
