// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// roleVariable makes this test binary play a part inside a guest.
const roleVariable = "INGRAIN_VMTEST_ROLE"

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		os.Exit(play(role))
	}
	os.Exit(m.Run())
}

// kernelForTest is Debian's 6.1, fetched into the repository's .cache/kernels
// when it is not there.
func kernelForTest(t *testing.T) Kernel {
	t.Helper()
	root, err := findUp("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	kernels, err := Fetch(t.Context(), FetchOptions{Dir: filepath.Join(filepath.Dir(root), ".cache/kernels"), Names: []string{"6.1"}})
	if err != nil {
		t.Fatalf("a kernel is needed, and could not be fetched: %v", err)
	}
	return kernels[0]
}

// bootAs boots and plays a role there.
func bootAs(t *testing.T, role string, change func(*Options)) (Result, string, error) {
	t.Helper()
	var out bytes.Buffer
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	o := Options{
		Kernel: kernelForTest(t), Program: self, Env: []string{roleVariable + "=" + role},
		Stdout: &out, Timeout: 2 * time.Minute,
	}
	if change != nil {
		change(&o)
	}
	result, err := Run(t.Context(), o)
	t.Logf("booted in %.1fs, gone after %.1fs", result.Boot.Seconds(), result.Total.Seconds())
	return result, out.String(), err
}

func TestExitCodeComesBack(t *testing.T) {
	for _, test := range []struct {
		role string
		exit int
		out  string
	}{
		{"exit 0", 0, ""},
		{"exit 1", 1, ""},
		{"print and die", 128 + 9, "no newline\nthe program was ended by signal 9 (killed)\n"},
	} {
		t.Run(test.role, func(t *testing.T) {
			t.Parallel() // two guests at a time
			result, out, err := bootAs(t, test.role, nil)
			if err != nil || result.Exit != test.exit || out != test.out {
				t.Errorf("got %d, %q, %v; want %d, %q", result.Exit, out, err, test.exit, test.out)
			}
		})
	}
}

func TestGuestPanicIsReported(t *testing.T) {
	t.Parallel()
	_, out, err := bootAs(t, "panic", nil)
	guest, ok := errors.AsType[*GuestError](err)
	if !ok {
		t.Fatalf("got %v, want a GuestError; output:\n%s", err, out)
	}
	if want := "kernel panic while the program ran: sysrq triggered crash"; guest.Reason != want {
		t.Errorf("got %q, want %q", guest.Reason, want)
	}
	if console := strings.Join(guest.Console, "\n"); !strings.Contains(console, "sysrq_handle_crash") {
		t.Errorf("the console's end lacks the stack:\n%s", console)
	}
}

func TestTimeoutEndsTheGuest(t *testing.T) {
	t.Parallel()
	start := time.Now()
	_, _, err := bootAs(t, "sleep", func(o *Options) { o.Timeout = 15 * time.Second })
	guest, ok := errors.AsType[*GuestError](err)
	if !ok || !strings.HasPrefix(guest.Reason, "no end after 15s, ") { // a busy machine may still be booting it
		t.Errorf("got %v, want a GuestError that names the time", err)
	}
	if took := time.Since(start); took > time.Minute {
		t.Errorf("it took %v", took)
	}
}

func TestCancelEndsTheGuest(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	_, err = Run(ctx, Options{Kernel: kernelForTest(t), Program: self, Env: []string{roleVariable + "=sleep"}})
	if err == nil {
		t.Error("got no error, want one")
	}
}

func TestGuestIsAnOrdinaryMachine(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	local := filepath.Join(dir, "local.txt")
	if err := os.WriteFile(local, []byte("local"), 0o600); err != nil {
		t.Fatal(err)
	}
	result, out, err := bootAs(t, "look around", func(o *Options) {
		o.Modules = []string{"veth", "tcp_diag"}
		o.Files = []File{{"/bin/cat", "/bin/cat"}, {local, "/a/b/local.txt"}}
		o.Back = []File{{filepath.Join(dir, "back.bin"), "/tmp/back.bin"}}
		o.Env = append(o.Env, "INGRAIN_ODD=a b\nc\"d")
	})
	if err != nil || result.Exit != 0 {
		t.Fatalf("exit code %d, %v:\n%s", result.Exit, err, out)
	}
	back, err := os.ReadFile(filepath.Join(dir, "back.bin"))
	if err != nil || !bytes.Equal(back, noise()) {
		t.Errorf("%d bytes came back, %v; want %d, unchanged", len(back), err, len(noise()))
	}
	if result.Boot <= 0 || result.Total < result.Boot {
		t.Errorf("boot %v, total %v", result.Boot, result.Total)
	}
}

// TestGoTestExecWorks runs a package's tests in a guest the way users do.
func TestGoTestExecWorks(t *testing.T) {
	t.Parallel()
	k := kernelForTest(t)
	vmtest, err := BuildInit(t.Context(), "amd64", filepath.Join(t.TempDir(), "vmtest"))
	if err != nil {
		t.Fatal(err)
	}
	for _, fail := range []string{"", "yes"} {
		cmd := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-v", "-exec",
			fmt.Sprintf("%s run -kernel .cache/kernels/%s", vmtest, k), "./testdata/exectest")
		cmd.Env = append(os.Environ(), "INGRAIN_VMTEST_FAIL="+fail)
		out, err := cmd.CombinedOutput()
		if (err != nil) != (fail != "") {
			t.Errorf("told to fail: %q, got %v:\n%s", fail, err, out)
		}
		if !bytes.Contains(out, []byte("taken along on Linux version 6.1.")) {
			t.Errorf("the test did not run in the guest:\n%s", out)
		}
	}
}
