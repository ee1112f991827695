// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"context"
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// initPackage is the program that serves as the guest's init.
const initPackage = "github.com/redsift/ingraind/gen/vm/cmd/vmtest"

// hostTriplet is the triplet of the machine this runs on.
func hostTriplet() string {
	a, err := archOf(runtime.GOARCH)
	if err != nil {
		return ""
	}
	return a.triplet
}

// findInit is the program to start as the guest's init: this one, if it is
// vmtest itself and can run there, or else one that the go command builds in
// dir.
func findInit(ctx context.Context, a arch, dir string, self bool) (string, error) {
	if self {
		own, err := os.Executable()
		if err == nil && runsAlone(own, a) {
			return own, nil
		}
	}
	return BuildInit(ctx, a.name, filepath.Join(dir, "init"))
}

// runsAlone tells whether a program runs on an architecture without libraries.
func runsAlone(program string, a arch) bool {
	f, err := elf.Open(program)
	if err != nil {
		return false
	}
	defer f.Close()
	return f.Machine == a.machine && interpreter(f) == ""
}

// BuildInit builds vmtest for a guest of an architecture into the file out.
// The current folder must belong to this module, or to one that requires it.
// With a warm build cache it takes a fraction of a second.
func BuildInit(ctx context.Context, arch, out string) (string, error) {
	goTool, err := lookTool("go", "golang-go")
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, goTool, "build", "-ldflags=-s -w", "-o", out, initPackage)
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+arch, "CGO_ENABLED=0", "GOFLAGS=")
	if _, err := output(cmd); err != nil {
		return "", fmt.Errorf("build the guest's init for %s (or give one with -init): %w", arch, err)
	}
	return out, nil
}
