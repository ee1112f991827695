// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// programs is the folder of those that .ci/programs compiles; "" where there
// are none, on machines of another architecture than their host's. A machine
// without a compiler brings them, and says so in INGRAIN_PROGRAMS.
var programs = sync.OnceValues(func() (string, error) {
	if dir := os.Getenv("INGRAIN_PROGRAMS"); dir != "" || underEmulation() {
		return dir, nil
	}
	dir, err := os.MkdirTemp("", "ingrain-programs")
	if err != nil {
		return "", err
	}
	out, err := exec.Command("../../.ci/programs", dir).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return dir, nil
})

// compiled is one of the programs, "" where there are none.
func compiled(t *testing.T, name string) string {
	t.Helper()
	dir, err := programs()
	if err != nil {
		t.Fatalf("this test needs gcc, clang-19 and systemtap-sdt-dev (.ci/deps installs them): %v", err)
	}
	if dir == "" {
		return ""
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
