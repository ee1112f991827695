// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// everywhere looks at this kernel, and in virtual machines at those in dir.
func everywhere(dir string) ([]found, error) {
	kernels, err := filepath.Glob(filepath.Join(dir, "*-*"))
	if err != nil || len(kernels) == 0 {
		return nil, errors.Join(err, fmt.Errorf("no kernels in %s: .ci/test full fetch", dir))
	}
	bin, err := os.MkdirTemp("", "ingraind-matrix-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(bin)
	vmtest := filepath.Join(bin, "vmtest")
	if err := build("", vmtest, "./gen/vm/cmd/vmtest"); err != nil {
		return nil, err
	}
	here := filepath.Join(bin, "matrix-here")
	if err := build("", here, "./bench/matrix"); err != nil {
		return nil, err
	}
	first, err := read(exec.Command(here))
	if err != nil {
		return nil, err
	}
	all := []found{*first}
	for _, kernel := range kernels {
		fmt.Fprintf(os.Stderr, "booting %s\n", filepath.Base(kernel))
		arch := kernel[strings.LastIndex(kernel, "-")+1:]
		program := filepath.Join(bin, "matrix-"+arch)
		if err := build(arch, program, "./bench/matrix"); err != nil {
			return nil, err
		}
		f, err := read(exec.Command(vmtest, "run", "-kernel", kernel, "-mod", "overlay,sch_ingress,cls_bpf,veth", "-timeout", "8m", program))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", kernel, err)
		}
		all = append(all, *f)
	}
	slices.SortStableFunc(all, func(a, b found) int {
		if a.Arch != b.Arch {
			return -strings.Compare(a.Arch, b.Arch) // x86-64 first
		}
		return compareReleases(a.Release, b.Release)
	})
	return all, nil
}

// read runs this program somewhere, and reads what it found.
func read(cmd *exec.Cmd) (*found, error) {
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%w\n%s%s", err, out, &said)
	}
	_, object, _ := strings.Cut(string(out), "{") // a guest may have said something before
	var f found
	if err := json.NewDecoder(strings.NewReader("{" + object)).Decode(&f); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, out)
	}
	return &f, nil
}

func build(arch, to, pkg string) error {
	cmd := exec.Command("go", "build", "-o", to, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOARCH="+arch)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", pkg, err, out)
	}
	return nil
}

// compareReleases orders 5.10 before 6.1 before 6.12.
func compareReleases(a, b string) int {
	var x, y [2]int
	fmt.Sscanf(a, "%d.%d", &x[0], &x[1])
	fmt.Sscanf(b, "%d.%d", &y[0], &y[1])
	return slices.Compare(x[:], y[:])
}
