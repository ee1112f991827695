// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"encoding/json"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// typeless is a role: "typeless PROGRAM ARGUMENTS..." becomes the program where
// the kernel's types cannot be seen.
func typeless(args []string) error {
	goruntime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return err
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	if err := unix.Mount("none", "/sys/kernel/btf", "tmpfs", 0, ""); err != nil {
		return err
	}
	return unix.Exec(args[0], args, append(os.Environ(), "INGRAIN_ROLE="))
}

// A kernel that was built without types serves with those of a file, by the
// mechanisms that do not need them in the kernel.
func TestTypesOfAFileServeAKernelWithout(t *testing.T) {
	types, err := os.ReadFile("/sys/kernel/btf/vmlinux")
	must(t, err)
	var name unix.Utsname
	must(t, unix.Uname(&name))
	hub := folder(t)
	arch := map[string]string{"amd64": "x86_64", "arm64": "arm64"}[goruntime.GOARCH]
	dir := filepath.Join(hub, "debian", "12", arch)
	must(t, os.MkdirAll(dir, 0o755))
	file := filepath.Join(dir, unix.ByteSliceToString(name.Release[:])+".btf")
	must(t, os.WriteFile(file, types, 0o644))
	agent := agentCommand(t).Path
	run := func(args ...string) (out, errs string, failed error) {
		cmd := role(t, "typeless", append([]string{agent}, args...)...)
		var stdout, stderr strings.Builder
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		failed = cmd.Run()
		return stdout.String(), stderr.String(), failed
	}
	if _, errs, err := run("check"); err == nil || !strings.Contains(errs, "give -btf a file with the types of "+strings.TrimSuffix(filepath.Base(file), ".btf")) {
		t.Errorf("without a file: got %v and %s", err, errs)
	}
	if _, errs, err := run("check", "-btf", folder(t)); err == nil || !strings.Contains(errs, "-btf: there is no "+filepath.Base(file)+" in ") {
		t.Errorf("in an empty folder: got %v and %s", err, errs)
	}
	for _, path := range []string{file, hub} {
		out, errs, err := run("check", "-grains", "exec", "-btf", path, "-o", "json")
		var plans []struct {
			Runs   bool
			Probes []struct{ Mechanism, Why string }
		}
		if err != nil || json.Unmarshal([]byte(out), &plans) != nil || len(plans) != 1 || !plans[0].Runs {
			t.Fatalf("%s: got %v: %s %s", path, err, out, errs)
		}
		for _, p := range plans[0].Probes {
			if p.Mechanism == "tp_btf" || p.Mechanism == "fentry" || p.Mechanism == "fexit" {
				t.Errorf("it would run by %s, which needs types in the kernel", p.Mechanism)
			}
		}
	}
	var pids []int64
	ended := make(chan struct{})
	var out, errs string
	go func() {
		defer close(ended)
		out, errs, err = run("-grains", "exec", "-btf", hub, "-o", "json", "-for", "3s", "-v")
	}()
	for running := true; running; {
		select {
		case <-ended:
			running = false
		default:
			pids = append(pids, spawned(t, 5, "/bin/true", "typeless")...)
		}
	}
	if err != nil || !strings.Contains(errs, "the books balance") {
		t.Errorf("got %v: %s", err, errs)
	}
	seen := map[int64]bool{}
	for _, row := range parse(t, []byte(out)) {
		if row.Text("event") == "exec" {
			seen[row.Int("who.pid")] = true
		}
	}
	n := 0
	for _, pid := range pids {
		if seen[pid] {
			n++
		}
	}
	if n < 10 {
		t.Errorf("saw %d of %d processes that were started meanwhile", n, len(pids))
	}
}
