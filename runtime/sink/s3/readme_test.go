// SPDX-License-Identifier: Apache-2.0

package s3_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redsift/ingraind/runtime/runtimetest"
	"github.com/redsift/ingraind/runtime/sink/s3"
)

const root = "../../.."

// The README's example, copied and pasted, but for the server's port and for
// sudo: a program that is started while the agent runs is in the bucket. It
// needs root.
func TestTheReadmesExampleWorks(t *testing.T) {
	readme, err := os.ReadFile(root + "/README.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?s)<!-- s3 -->\n```sh\n(.*?)```").FindSubmatch(readme)
	if found == nil {
		t.Fatal("README.md has no block marked s3")
	}
	g := newGateway(t, false)
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"} {
		t.Setenv(name, "") // the example says them
	}
	dir := t.TempDir()
	pasted := string(found[1])
	for _, change := range [][2]string{
		{"go build ./", "go build -o " + dir + "/ ./"},
		{"127.0.0.1:7070", g.Address},
		{"sudo -E ./", "cd " + dir + " && exec ./"},
	} {
		if !strings.Contains(pasted, change[0]) {
			t.Fatalf("the example does not say %q:\n%s", change[0], pasted)
		}
		pasted = strings.ReplaceAll(pasted, change[0], change[1])
	}
	if _, err := os.Stat("/var/lib/ship"); os.IsNotExist(err) {
		t.Cleanup(func() { os.RemoveAll("/var/lib/ship") }) // its spool, empty
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-euc", pasted)
	cmd.Dir = root
	watching := &waiter{text: `"event":"exec"`, seen: make(chan bool, 1)}
	cmd.Stdout, cmd.Stderr = watching, watching
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for sees := false; !sees; {
		_ = exec.Command("/bin/true").Run() // for the agent to see
		select {
		case sees = <-watching.seen:
		case <-ctx.Done():
			t.Fatal("the agent does not watch")
		case <-time.After(100 * time.Millisecond):
		}
	}
	mark := filepath.Base(dir)
	if err := exec.Command("/bin/true", mark).Run(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(500 * time.Millisecond)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	n := 0
	for key, rows := range g.Objects() {
		if strings.HasPrefix(key, "grain=exec/dt=") {
			n += strings.Count(rows, `"`+mark+`"]`)
		}
	}
	if n != 1 {
		t.Errorf("got %d rows of the program that was started, want 1", n)
	}
}

// waiter keeps what is written, and tells when it holds text.
type waiter struct {
	text string
	seen chan bool
	all  bytes.Buffer
}

func (w *waiter) Write(p []byte) (int, error) {
	w.all.Write(p)
	if strings.Contains(w.all.String(), w.text) {
		select {
		case w.seen <- true:
		default:
		}
	}
	return len(p), nil
}

func TestTheConfigurationOfTheDocumentIsTaken(t *testing.T) {
	asked := runtimetest.SinkPage(t, s3.Part(), root+"/docs/sinks/s3.md", "testdata/config.yaml")
	if _, err := s3.Part().Open(asked); err != nil {
		t.Error(err)
	}
}
