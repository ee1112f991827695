// SPDX-License-Identifier: Apache-2.0

package gen_test

import (
	"bytes"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/redsift/ingraind/gen"
)

const goldenModule = "github.com/redsift/ingraind/gen/testdata/golden"

// newSite copies a site into a module of its own.
func newSite(t *testing.T, from, module string) string {
	t.Helper()
	root := filepath.Join(t.TempDir(), "site")
	if err := os.CopyFS(root, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(root, "generated")); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(root, "go.mod"), "module "+module+"\n\ngo 1.26\n")
	return root
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func generate(t *testing.T, o gen.Options) []gen.Change {
	t.Helper()
	changes, err := gen.Generate(o)
	if err != nil {
		t.Fatalf("%v\n(generating needs clang-19 and llvm-19 in PATH)", err)
	}
	return changes
}

// tree is each file below root by its name.
func tree(t *testing.T, root string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		files[filepath.ToSlash(name)] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// Objects and what bpf2go writes are no goldens: they change with clang and
// with the library.
func TestGeneratedCodeIsAsAgreed(t *testing.T) {
	root := newSite(t, "testdata/golden", goldenModule)
	generate(t, gen.Options{Root: root, Cache: "-"})
	for _, name := range []string{"kinds/kinds.grain.h", "kinds/kinds.go", "said/said.go", "watcher/main.go"} {
		got, err := os.ReadFile(filepath.Join(root, "generated", name))
		if err != nil {
			t.Fatal(err)
		}
		golden(t, filepath.Join("testdata/golden/generated", name), string(got))
	}
}

func TestGeneratingTwiceGivesEqualBytes(t *testing.T) {
	var trees []map[string]string
	for range 2 { // in two folders, with two caches
		root := newSite(t, "testdata/golden", goldenModule)
		generate(t, gen.Options{Root: root, Cache: t.TempDir()})
		trees = append(trees, tree(t, filepath.Join(root, "generated")))
	}
	names := slices.Sorted(maps.Keys(trees[0]))
	if diff := cmp.Diff(names, slices.Sorted(maps.Keys(trees[1]))); diff != "" {
		t.Fatalf("files (-first +second):\n%s", diff)
	}
	objects := 0
	for _, name := range names {
		if trees[0][name] != trees[1][name] {
			t.Errorf("%s: got two different contents, want equal bytes", name)
		}
		if strings.HasSuffix(name, ".o") {
			objects++
		}
	}
	if objects != 4 {
		t.Errorf("got %d objects of %v, want one for each of two grains and architectures", objects, names)
	}
}

// Nothing has changed: objects come out of the cache, and no file is touched.
func TestGeneratingAgainCostsAFifthAndTouchesNothing(t *testing.T) {
	root, cache := newSite(t, "testdata/golden", goldenModule), t.TempDir()
	start := time.Now()
	generate(t, gen.Options{Root: root, Cache: cache})
	full := time.Since(start)
	before, times := tree(t, root), modified(t, root)

	again := time.Hour // the best of three: the machine has others to serve
	for range 3 {
		start = time.Now()
		if changes := generate(t, gen.Options{Root: root, Cache: cache}); len(changes) > 0 {
			t.Errorf("got changes %v, want none", changes)
		}
		again = min(again, time.Since(start))
	}
	t.Logf("full: %v; again: %v", full, again)
	if again > full/5 {
		t.Errorf("got %v for the second time, want at most a fifth of %v", again, full)
	}
	if diff := cmp.Diff(before, tree(t, root)); diff != "" {
		t.Errorf("files (-before +after):\n%s", diff)
	}
	if diff := cmp.Diff(times, modified(t, root)); diff != "" {
		t.Errorf("times (-before +after):\n%s", diff)
	}
}

func modified(t *testing.T, root string) map[string]time.Time {
	t.Helper()
	times := map[string]time.Time{}
	for name := range tree(t, root) {
		info, err := os.Stat(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		times[name] = info.ModTime()
	}
	return times
}

// A header beside the C file is part of what an object is made of.
func TestAChangedHeaderMakesNewObjects(t *testing.T) {
	root, cache := newSite(t, "testdata/golden", goldenModule), t.TempDir()
	generate(t, gen.Options{Root: root, Cache: cache})
	write(t, filepath.Join(root, "bpf/shared.h"), "#define SHARED 5\n") // that kinds includes
	var got []string
	for _, c := range generate(t, gen.Options{Root: root, Cache: cache}) {
		got = append(got, c.What+" "+c.Path)
	}
	want := []string{"write generated/kinds/kinds_arm64_bpfel.o", "write generated/kinds/kinds_x86_bpfel.o"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
}

func TestDryRunSaysWhatWouldChangeAndChangesNothing(t *testing.T) {
	root := newSite(t, "testdata/golden", goldenModule)
	before := tree(t, root)
	changes := generate(t, gen.Options{Root: root, Cache: t.TempDir(), Dry: true})
	if got, want := len(changes), 13; got != want {
		t.Errorf("got %d changes %v, want %d", got, changes, want)
	}
	if diff := cmp.Diff(before, tree(t, root)); diff != "" {
		t.Errorf("files (-before +after):\n%s", diff)
	}
}

func TestMistakesLeaveGeneratedFilesAlone(t *testing.T) {
	root, cache := newSite(t, "testdata/golden", goldenModule), t.TempDir()
	generate(t, gen.Options{Root: root, Cache: cache})
	for name, text := range map[string]string{
		"a mistake in YAML": "grain: broken\n",
		"nothing wrong with it, but its C has none of its probes": "grain: broken\nhelp: x\nprobes: {a: entry/f}\nevents: {e: {help: x}}\n",
	} {
		write(t, filepath.Join(root, "grains/broken.yaml"), text)
		before := tree(t, root)
		if _, err := gen.Generate(gen.Options{Root: root, Cache: cache}); err == nil {
			t.Errorf("%s: got no error, want one", name)
		}
		if diff := cmp.Diff(before, tree(t, root)); diff != "" {
			t.Errorf("%s: files (-before +after):\n%s", name, diff)
		}
	}
}

// clang's own words come through as they are, and nothing is written.
func TestWhatClangSaysComesThrough(t *testing.T) {
	root := newSite(t, "testdata/golden", goldenModule)
	file := filepath.Join(root, "bpf/kinds.bpf.c")
	code, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	write(t, file, strings.Replace(string(code), "emit_all(v);", "emit_all(v)", 1))
	before := tree(t, root)

	said := captureStderr(t, func() { _, err = gen.Generate(gen.Options{Root: root, Cache: "-"}) })
	if err == nil || err.Error() != "clang bpf/kinds.bpf.c for amd64: exit status 1" {
		t.Errorf("got error %v, want clang's", err)
	}
	line := 1 + bytes.Count(code[:bytes.Index(code, []byte("emit_all(v);"))], []byte("\n"))
	if want := file + ":" + strconv.Itoa(line) + ":13: error: expected ';' after expression"; !strings.Contains(said, want) {
		t.Errorf("got on stderr:\n%swant in it:\n%s", said, want)
	}
	if n := strings.Count(said, "expected ';'"); n != 1 {
		t.Errorf("got it %d times, want once", n)
	}
	if diff := cmp.Diff(before, tree(t, root)); diff != "" {
		t.Errorf("files (-before +after):\n%s", diff)
	}
}

// captureStderr runs do and returns what the process wrote to stderr.
func captureStderr(t *testing.T, do func()) string {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	stderr := os.Stderr
	os.Stderr = f
	defer func() { os.Stderr = stderr }()
	do()
	said, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(said)
}

// Three events of 192 bytes do not fit the 512 of a stack together, and two
// with text have a slot of scratch memory each: all can be filled side by side.
func TestEventsOfOneProbeHaveMemoryOfTheirOwn(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "go.mod"), "module example.org/site\n")
	yaml := "grain: x\nhelp: Large events.\nprobes: {started: tracepoint/sched/sched_process_exec}\nevents:\n"
	var structs, news, tests, emits string
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		member := "char text[192];"
		if name > "c" {
			member = "text(64) text;"
		}
		yaml += "  " + name + ": {help: One of them.}\n"
		structs += "struct _data_" + name + " { " + member + " };\n"
		news += "\tstruct _data_" + name + " *" + name + " = new_" + name + "();\n"
		tests += " || !" + name
		emits += "\temit_" + name + "(" + name + ");\n"
	}
	write(t, filepath.Join(root, "grains/x.yaml"), yaml)
	write(t, filepath.Join(root, "bpf/x.bpf.c"), "#include \"ingrain.h\"\n"+structs+"#include \"x.grain.h\"\nPROBE(started)\n{\n"+
		news+"\tif ("+strings.TrimPrefix(tests, " || ")+")\n\t\treturn;\n"+emits+"}\n")
	generate(t, gen.Options{Root: root, Cache: "-"})
	header, err := os.ReadFile(filepath.Join(root, "generated/x/x.grain.h"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"#define INGRAIN_SLOTS 12\n", // three of them for a probe, and for three that interrupt it
		"\tstruct ingrain_slot *slot_of_d;\n", "\tstruct ingrain_slot *slot_of_e;\n", "\tstruct ingrain_record_c *on_stack_c;\n",
	} {
		if !strings.Contains(string(header), want) {
			t.Errorf("got a header without %q", want)
		}
	}
}
