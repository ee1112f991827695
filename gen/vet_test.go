// SPDX-License-Identifier: Apache-2.0

package gen_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/google/go-cmp/cmp"

	"github.com/redsift/ingraind/gen"
)

const kernels = "../.cache/kernels"

// kernelImage is a kernel of Debian's, as vmtest fetches them.
func kernelImage(t *testing.T, name string) string {
	t.Helper()
	file := filepath.Join(kernels, name, "vmlinuz")
	if _, err := os.Stat(file); err != nil {
		t.Fatalf("%v: run `go run ./gen/vm/cmd/vmtest fetch -dir .cache/kernels %s`", err, strings.TrimSuffix(name, "-amd64"))
	}
	return file
}

func vetKernels(t *testing.T, o gen.Options, path string, grains ...string) *gen.Fitness {
	t.Helper()
	found, err := gen.VetKernels(o, path, grains...)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// lines are a fit each, with the reasons also of those that fit.
func lines(found *gen.Fitness) string {
	var b bytes.Buffer
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, f := range found.Fits {
		verdict := "no"
		if f.OK {
			verdict = "ok"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", f.Grain, f.Probe, f.Point, f.Way, verdict, strings.Join(f.Reasons, "; "))
	}
	w.Flush()
	fmt.Fprintf(&b, "nowhere: %s\n", found.Nowhere)
	return strings.ReplaceAll(b.String(), "ok  \n", "ok\n")
}

// The site testdata/vet asks for what came with some kernel, and what none has.
func TestVetFindsWhatKernelsLack(t *testing.T) {
	for _, name := range []string{"5.10-amd64", "6.1-amd64", "6.12-amd64"} {
		t.Run(name, func(t *testing.T) {
			found := vetKernels(t, gen.Options{Root: "testdata/vet", Cache: "-"}, kernelImage(t, name))
			golden(t, filepath.Join("testdata/vet", name+".want"), lines(found))
		})
	}
}

// Kernels up to 6.12 do not say group_dead: there exited_alone stands in
// for exited.
func TestVetFindsTheWayOfExec(t *testing.T) {
	cases := map[string][]string{
		"5.10-amd64": {"no", "tp_btf"}, "6.1-amd64": {"no", "tp_btf"}, "6.12-amd64": {"no", "tp_btf"},
	}
	if os.Getenv("INGRAIN_FULL") != "" {
		cases["7-amd64"] = []string{"tp_btf", "not needed"}
		cases["6.12-arm64"] = []string{"no", "tp_btf"}
	}
	for name, want := range cases {
		found := vetKernels(t, gen.Options{Root: ".."}, kernelImage(t, name), "exec")
		var got []string
		for _, probe := range []string{"exited", "exited_alone"} {
			i := slices.IndexFunc(found.Fits, func(f gen.Fit) bool { return f.Probe == probe })
			switch f := found.Fits[i]; {
			case !f.OK:
				got = append(got, "no")
			case f.Way == "":
				got = append(got, "not needed")
			default:
				got = append(got, f.Way)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: exited and exited_alone (-want +got):\n%s", name, diff)
		}
		if len(found.Nowhere) > 0 {
			t.Errorf("%s: got %v nowhere, want exec to run", name, found.Nowhere)
		}
	}
}

func TestStockGrainsRunOnEveryKernelOfAFolder(t *testing.T) {
	folder := t.TempDir()
	for _, name := range []string{"5.10-amd64", "6.1-amd64", "6.12-amd64"} {
		image, err := filepath.Abs(kernelImage(t, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(image, filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(folder, "README"), "not a kernel")
	found := vetKernels(t, gen.Options{Root: ".."}, folder)
	spared := []string{"exited", "piped", "listed", "unlisted", "sent_page"} // they have substitutes, or are optional
	seen := map[string]bool{}
	for _, f := range found.Fits {
		seen[f.Kernel] = true
		if !f.OK && !slices.Contains(spared, f.Probe) {
			t.Errorf("%s: %s %s at %s: got %v, want it to run", f.Kernel, f.Grain, f.Probe, f.Point, f.Reasons)
		}
	}
	if len(seen) != 3 || len(found.Nowhere) > 0 {
		t.Errorf("got kernels %v and %v nowhere, want three kernels and all grains somewhere", seen, found.Nowhere)
	}
}

func TestVetReadsTheRunningKernel(t *testing.T) {
	found := vetKernels(t, gen.Options{Root: "testdata/vet", Cache: "-"}, "/sys/kernel/btf/vmlinux", "fitter")
	if len(found.Fits) != 1 || !found.Fits[0].OK {
		t.Errorf("got %+v, want sched_process_exec served", found.Fits)
	}
}

func TestVetSaysWhatIsNoKernel(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x")
	write(t, file, "no kernel")
	for path, want := range map[string]string{
		file:               file + ": neither raw BTF, nor an ELF file with a section .BTF, nor a kernel's image",
		filepath.Dir(file): filepath.Dir(file) + ": no file in it is a kernel's BTF",
		file + ".missing":  "stat " + file + ".missing: no such file or directory",
	} {
		_, err := gen.VetKernels(gen.Options{Root: "testdata/vet"}, path, "fitter")
		if err == nil || err.Error() != want {
			t.Errorf("got error %v, want %s", err, want)
		}
	}
}

func TestVetKnowsTheGrainsThereAre(t *testing.T) {
	err := gen.Vet(gen.Options{Root: "testdata/vet"}, "fiter")
	if want := `there is no grains/fiter.yaml; did you mean "fitter"?`; err == nil || err.Error() != want {
		t.Errorf("got error %v, want %s", err, want)
	}
}
