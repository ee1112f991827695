// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"sync"
	"testing"
)

// programs is the folder of those that .ci/programs compiles. Where there is no
// compiler, in a virtual machine, INGRAIN_PROGRAMS names it.
var programs = sync.OnceValues(func() (string, error) {
	if dir := os.Getenv("INGRAIN_PROGRAMS"); dir != "" {
		return dir, nil
	}
	dir, err := filepath.Abs("../../bin/programs-" + goruntime.GOARCH)
	if err != nil {
		return "", err
	}
	out, err := exec.Command("../../.ci/programs", dir, goruntime.GOARCH).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return dir, nil
})

// compiled is one of the programs.
func compiled(t *testing.T, name string) string {
	t.Helper()
	dir, err := programs()
	if err != nil {
		t.Fatalf("this test needs gcc, clang-19 and systemtap-sdt-dev (.ci/deps installs them), or INGRAIN_PROGRAMS: %v", err)
	}
	return filepath.Join(dir, name)
}

// shopkeeper is a running shop (programs/shop.c).
type shopkeeper struct {
	*exec.Cmd
	ask    io.WriteCloser
	answer *bufio.Reader
}

func openShop(t *testing.T, program string) *shopkeeper {
	t.Helper()
	s := &shopkeeper{Cmd: exec.Command(program)}
	ask, err := s.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	answer, err := s.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.ask, s.answer = ask, bufio.NewReader(answer)
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.ask.Close()
		if err := s.Wait(); err != nil {
			t.Errorf("%s: %v", program, err)
		}
	})
	return s
}

// do has the shop do something, and is what it says when that is done.
func (s *shopkeeper) do(t *testing.T, what string) string {
	t.Helper()
	if _, err := fmt.Fprintln(s.ask, what); err != nil {
		t.Fatal(err)
	}
	said, err := s.answer.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(said)
}
