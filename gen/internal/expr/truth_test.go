// SPDX-License-Identifier: Apache-2.0

package expr_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/rlimit"

	"github.com/redsift/ingraind/gen/internal/elf"
	"github.com/redsift/ingraind/gen/internal/expr"
)

// width is what each expression has in the results: 8 bytes of a number, and
// what was stored.
const width = 8 + 72

// known is what an expression is on an event, as each way of computing it says.
type outcome [width]byte

// tried are expressions and what there is to say of each.
type tried struct {
	*expr.Expr
	number bool // it has a value beside what is stored
	inC    bool
	stack  bool // it needs nothing behind the event
}

func full() bool { return os.Getenv("INGRAIN_FULL") != "" }

// write makes n random expressions that are right.
func write(t *testing.T, r *rand.Rand, n int) []tried {
	t.Helper()
	vars := allVars()
	a := &author{Rand: r}
	var all []tried
	refused := map[string]int{}
	for attempts := 0; len(all) < n; attempts++ {
		if attempts > n+n/4 {
			t.Fatalf("got %d right expressions of %d, want more; of the others: %v", len(all), attempts, refused)
		}
		text, want := a.condition(a.IntN(4)), expr.WantBool
		if a.IntN(3) == 0 {
			text, want = a.value(), expr.WantValue
		}
		e, mistakes := expr.Compile(expr.Source{Text: text}, vars, want)
		if e == nil {
			refused[mistakes.Err().Error()]++
			continue
		}
		tr := tried{Expr: e, inC: e.InC() == nil, number: e.Go().Code != "", stack: true}
		for _, v := range e.Vars() {
			tr.stack = tr.stack && v.Type != "TypeText"
		}
		all = append(all, tr)
	}
	return all
}

// With INGRAIN_SEED=N it does the same again. With INGRAIN_OBJECT=FILE besides
// it keeps what clang made, or takes it from there, so that other kernels can
// be asked, on which there is no clang.
func TestCAndGoMeanWhatTheTreeMeans(t *testing.T) {
	count, events := 400, 24
	if full() {
		count, events = 6000, 60
	}
	seed := rand.Uint64()
	if again, err := strconv.ParseUint(os.Getenv("INGRAIN_SEED"), 10, 64); err == nil {
		seed = again
	}
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	all := write(t, r, count)
	var some []event
	for range events {
		some = append(some, randomEvent(r))
	}
	want := make([][]outcome, events)
	for i, ev := range some {
		for _, e := range all {
			want[i] = append(want[i], evaluate(e, ev))
		}
	}
	inC := 0
	if os.Getenv("INGRAIN_VM") == "" { // there is no Go in a virtual machine
		t.Run("Go", func(t *testing.T) {
			compare(t, "Go", all, some, want, runGo(t, all, some), func(tried) bool { return true })
		})
	}
	t.Run("C", func(t *testing.T) {
		got := make([][]outcome, events)
		for from := 0; from < count; from += 600 {
			part := all[from:min(from+600, count)]
			for i, outcomes := range runC(t, part, some) {
				got[i] = append(got[i], outcomes...)
			}
		}
		for _, e := range all {
			if e.inC {
				inC++
			}
		}
		compare(t, "C", all, some, want, got, func(e tried) bool { return e.inC })
	})
	t.Logf("%d expressions on %d events, %d of them also in C", count, events, inC)
	if inC < count/2 {
		t.Errorf("got %d of %d expressions that C can compute, want half", inC, count)
	}
}

// evaluate is what the tree walker says.
func evaluate(e tried, ev event) (o outcome) {
	v := e.Eval(func(path string) expr.Value { return ev.values[path] })
	if e.number {
		binary.LittleEndian.PutUint64(o[:], v.Num)
		var stored [8]byte
		binary.LittleEndian.PutUint64(stored[:], v.Num)
		copy(o[8:8+e.Type().Size], stored[:])
		return o
	}
	copy(o[8:], v.Bytes)
	return o
}

func compare(t *testing.T, how string, all []tried, some []event, want, got [][]outcome, looked func(tried) bool) {
	t.Helper()
	wrong := 0
	for i, e := range all {
		if !looked(e) {
			continue
		}
		for j := range some {
			if got[j][i] == want[j][i] {
				continue
			}
			if wrong++; wrong < 20 {
				t.Errorf("%s: %s\n  got  %x\n  want %x\n  on %s\n  C:  %s\n  %s\n  Go: %s", how, e, got[j][i], want[j][i], values(e, some[j]), e.C(), e.StoreC("k.x"), e.Go().Code)
			}
			break
		}
	}
	if wrong > 0 {
		t.Errorf("%s differs in %d of %d expressions", how, wrong, len(all))
	}
}

func values(e tried, ev event) string {
	var all []string
	for _, v := range e.Vars() {
		val := ev.values[v.Path]
		all = append(all, fmt.Sprintf("%s=%d %q", v.Path, int64(val.Num), val.Bytes))
	}
	return strings.Join(all, " ")
}

// runGo computes all expressions on all events in a program of generated Go.
func runGo(t *testing.T, all []tried, some []event) [][]outcome {
	t.Helper()
	var body, patterns strings.Builder
	var known []string
	imports := []string{"bufio", "encoding/binary", "io", "os", "github.com/redsift/ingraind/runtime"}
	for i, e := range all {
		code, store := e.Go(), e.StoreGo(fmt.Sprintf("out[8:%d]", 8+e.Type().Size))
		fmt.Fprintf(&body, "func f%d(v, tail, out []byte) {\n", i)
		switch {
		case e.number && e.Type().Type == "TypeBool":
			fmt.Fprintf(&body, "if %s {\nout[0] = 1\n}\n", code.Code)
		case e.number:
			fmt.Fprintf(&body, "binary.LittleEndian.PutUint64(out, uint64(%s))\n", code.Code)
		}
		fmt.Fprintf(&body, "%s\n}\n", store.Code)
		for _, more := range []expr.GoCode{code, store} {
			for _, path := range more.Imports {
				if !slices.Contains(imports, path) {
					imports = append(imports, path)
				}
			}
			for _, p := range more.Patterns {
				if !slices.Contains(known, p.Name) {
					known = append(known, p.Name)
					fmt.Fprintf(&patterns, "var %s = regexp.MustCompile(%q)\n", p.Name, p.RE2)
				}
			}
		}
	}
	if len(known) > 0 {
		imports = append(imports, "regexp")
	}
	var src strings.Builder
	src.WriteString("package main\nimport (\n")
	for _, path := range imports {
		fmt.Fprintf(&src, "%q\n", path)
	}
	fmt.Fprintf(&src, ")\nvar params = []int64{%d, %d, %d}\n", paramValues["params.least"], paramValues["params.wait"], paramValues["params.loud"])
	src.WriteString(patterns.String() + body.String())
	src.WriteString("var all = []func(v, tail, out []byte){\n")
	for i := range all {
		fmt.Fprintf(&src, "f%d,\n", i)
	}
	fmt.Fprintf(&src, "}\nfunc main() {\nw := bufio.NewWriter(os.Stdout)\ndefer w.Flush()\nin := make([]byte, %d)\n", fixed+room)
	src.WriteString("for {\nif _, err := io.ReadFull(os.Stdin, in); err != nil {\nreturn\n}\nfor _, f := range all {\n")
	fmt.Fprintf(&src, "out := make([]byte, %d)\nf(in[:%d], in[%d:], out)\nw.Write(out)\n}\n}\n}\n", width, fixed, fixed)

	dir := t.TempDir()
	file, overlay := filepath.Join(dir, "main.go"), filepath.Join(dir, "overlay.json")
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	put(t, file, src.String())
	files, err := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(here, "testdata", "truth", "main.go"): file}})
	if err != nil {
		t.Fatal(err)
	}
	put(t, overlay, string(files))
	binary := filepath.Join(dir, "truth")
	if out, err := exec.Command("go", "build", "-overlay", overlay, "-o", binary, "./testdata/truth").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%.4000s", err, out)
	}
	var in bytes.Buffer
	for _, ev := range some {
		in.Write(ev.bytes)
	}
	cmd := exec.Command(binary)
	cmd.Stdin = &in
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("the program of generated Go: %v", err)
	}
	if len(out) != len(some)*len(all)*width {
		t.Fatalf("got %d bytes of results, want %d", len(out), len(some)*len(all)*width)
	}
	got := make([][]outcome, len(some))
	for i := range some {
		for range all {
			got[i] = append(got[i], outcome(out[:width]))
			out = out[width:]
		}
	}
	return got
}

func put(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// inProgram is how many expressions a program has; of those with the event on
// the stack, which they share with it, a quarter.
const inProgram = 20

// sourceC is a C file that computes all expressions that C can: as raw_tp
// programs of some expressions each, half of them with the event on the stack.
func sourceC(all []tried) (text string, programs []string) {
	var src strings.Builder
	fmt.Fprintf(&src, "#include \"ingrain.h\"\n#define INGRAIN_TAIL_ROOM %d\n#include \"expr.h\"\n%s", room, structC())
	for _, p := range []string{"least", "wait", "loud"} {
		fmt.Fprintf(&src, "const volatile __s64 ingrain_param_%s = %d;\n#define PARAM_%s ingrain_param_%s\n", p, paramValues["params."+p], p, p)
	}
	fmt.Fprintf(&src, "struct in {\n\tstruct _data_e data;\n\tchar tail[%d];\n};\nstruct result {\n\t__u64 num;\n\tchar stored[%d];\n};\nstruct out {\n\tstruct result results[%d];\n};\n", room, width-8, len(all))
	src.WriteString(`
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct in);
} in SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct out);
} out SEC(".maps");
`)
	var texts, plain []int
	for i, e := range all {
		switch {
		case !e.inC:
		case e.stack && i%2 == 0:
			plain = append(plain, i)
		default:
			texts = append(texts, i)
		}
	}
	program := func(which []int, stack bool) {
		name := fmt.Sprintf("truth_%d", len(programs))
		programs = append(programs, name)
		fmt.Fprintf(&src, "SEC(\"raw_tp/sys_enter\")\nint %s(void *ctx)\n{\n\t__u32 zero = 0;\n\tstruct in *from = bpf_map_lookup_elem(&in, &zero);\n\tstruct out *to = bpf_map_lookup_elem(&out, &zero);\n\tstruct _data_e *v;\n", name)
		if stack {
			src.WriteString("\tstruct _data_e on_stack;\n")
		}
		src.WriteString("\n\tif (!from || !to)\n\t\treturn 0;\n\tv = &from->data;\n")
		if stack {
			src.WriteString("\t__builtin_memcpy(&on_stack, v, sizeof(on_stack));\n\tv = &on_stack;\n\tasm volatile(\"\" : \"+r\"(v) : : \"memory\"); /* it is memory, and not registers */\n")
		}
		for _, i := range which {
			e := all[i]
			fmt.Fprintf(&src, "\t{\n\t\tstruct result *r = &to->results[%d];\n\t\tstruct { %s; } k;\n", i, e.Type().C("x"))
			switch {
			case e.number && e.Type().Type == "TypeBool":
				fmt.Fprintf(&src, "\t\tr->num = 0;\n\t\tif (%s)\n\t\t\tr->num = 1;\n", e.C())
			case e.number:
				fmt.Fprintf(&src, "\t\tr->num = %s;\n", e.C())
			}
			fmt.Fprintf(&src, "\t\t%s\n\t\t__builtin_memcpy(r->stored, &k.x, sizeof(k.x));\n\t}\n\tasm volatile(\"\" ::: \"memory\");\n", e.StoreC("k.x"))
		}
		src.WriteString("\treturn 0;\n}\n\n")
	}
	for part := range slices.Chunk(texts, inProgram) {
		program(part, false)
	}
	for part := range slices.Chunk(plain, inProgram/4) {
		program(part, true)
	}
	return src.String(), programs
}

// compileC compiles a C file as the generator does.
func compileC(t *testing.T, text string) []byte {
	t.Helper()
	include, err := filepath.Abs("../../../bpf/include")
	if err != nil {
		t.Fatal(err)
	}
	cc, err := elf.Find("", "")
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	put(t, filepath.Join(root, "truth.bpf.c"), text)
	object, err := cc.Compile(elf.Source{Root: root, File: "truth.bpf.c", Headers: root, As: "truth", Include: include, Target: runtime.GOARCH})
	if err != nil {
		t.Fatalf("compile the generated C: %v", err)
	}
	return object
}

// runC computes the expressions that C can in the kernel.
func runC(t *testing.T, all []tried, some []event) [][]outcome {
	t.Helper()
	text, programs := sourceC(all)
	var object []byte
	if file := os.Getenv("INGRAIN_OBJECT"); file == "" {
		object = compileC(t, text)
	} else if kept, err := os.ReadFile(file); err == nil {
		object = kept[1:]
	} else {
		object = compileC(t, text)
		put(t, file, "X"+string(object)) // vmtest would take it for a program of its own
		put(t, file+".c", text)
	}
	spec, err := ebpf.LoadCollectionSpecFromReader(bytes.NewReader(object))
	if err != nil {
		t.Fatal(err)
	}
	if err := rlimit.RemoveMemlock(); err != nil {
		t.Fatal(err)
	}
	coll, err := ebpf.NewCollection(spec)
	if err != nil {
		t.Fatalf("load the generated C (this test needs root): %.3000v", err)
	}
	defer coll.Close()
	got := make([][]outcome, len(some))
	out := make([]byte, len(all)*width)
	for i, ev := range some {
		if err := coll.Maps["in"].Put(uint32(0), ev.bytes); err != nil {
			t.Fatal(err)
		}
		for _, name := range programs {
			if _, err := coll.Programs[name].Run(&ebpf.RunOptions{Context: make([]uint64, 12)}); err != nil {
				t.Fatalf("run %s: %v", name, err)
			}
		}
		if err := coll.Maps["out"].Lookup(uint32(0), &out); err != nil {
			t.Fatal(err)
		}
		for j := range all {
			got[i] = append(got[i], outcome(out[j*width:(j+1)*width]))
		}
	}
	return got
}
