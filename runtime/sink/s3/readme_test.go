// SPDX-License-Identifier: Apache-2.0

package s3_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/runtimetest"
	"github.com/redsift/ingraind/runtime/sink/s3"
	"github.com/redsift/ingraind/runtime/sink/s3/parquet"
)

const root = "../../.."

// block is the block of the README with a mark.
func block(t *testing.T, mark string) string {
	t.Helper()
	readme, err := os.ReadFile(root + "/README.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?s)<!-- " + mark + " -->\n```\\w+\n(.*?)```").FindSubmatch(readme)
	if found == nil {
		t.Fatalf("README.md has no block marked %s", mark)
	}
	return string(found[1])
}

// runExample runs the README's example, copied and pasted, but for the server's
// port and for sudo. While the agent runs, a program is started by a file of its
// own, with an argument that it returns. It needs root.
func runExample(t *testing.T, g *gateway, flags string) (mark string) {
	t.Helper()
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"} {
		t.Setenv(name, "") // the example says them
	}
	dir, err := os.MkdirTemp("/tmp", "ship") // which the questions ask for
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	pasted := block(t, "s3")
	for _, change := range [][2]string{
		{"go build ./", "go build -o " + dir + "/ ./"},
		{"127.0.0.1:7070", g.address},
		{"sudo -E ./", "cd " + dir + " && exec ./"},
	} {
		if !strings.Contains(pasted, change[0]) {
			t.Fatalf("the example does not say %q:\n%s", change[0], pasted)
		}
		pasted = strings.ReplaceAll(pasted, change[0], change[1])
	}
	pasted = strings.TrimSpace(pasted) + flags
	if _, err := os.Stat("/var/lib/ship"); os.IsNotExist(err) {
		t.Cleanup(func() { os.RemoveAll("/var/lib/ship") }) // its spool, empty
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-euc", pasted)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
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
	mark = filepath.Base(dir)
	program, err := os.ReadFile("/bin/true")
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "true"), program, 0o755)
	}
	if err == nil {
		err = exec.Command(filepath.Join(dir, "true"), mark).Run()
	}
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(500 * time.Millisecond)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	return mark
}

func TestTheReadmesExampleWorks(t *testing.T) {
	g := newGateway(t, false)
	mark, n := runExample(t, g, ""), 0
	for key, rows := range g.objects() {
		if strings.HasPrefix(key, "grain=exec/dt=") {
			n += strings.Count(rows, `"`+mark+`"]`)
		}
	}
	if n != 1 {
		t.Errorf("got %d rows of the program that was started, want 1", n)
	}
}

// Each statement of the README is asked of what the README's agent put, once as
// lines and once as files.
func TestTheQuestionsOfTheReadmeHaveAnswers(t *testing.T) {
	g := newGateway(t, false)
	asLines, asFiles := runExample(t, g, ""), runExample(t, g, " -sink console -sink s3:format=parquet")
	var statements []string
	for statement := range strings.SplitSeq(block(t, "questions"), ";") {
		if statement = strings.TrimSpace(statement); statement != "" {
			statements = append(statements, strings.ReplaceAll(statement, "s3://rows/", g.dir+"/data/rows/"))
		}
	}
	if len(statements) < 3 {
		t.Fatalf("got %d questions, want some", len(statements))
	}
	answers := sql(t, statements...)
	for i, a := range answers {
		text := fmt.Sprint(a.Rows)
		mark := asFiles
		if strings.Contains(statements[i], "ndjson") {
			mark = asLines
		}
		if len(a.Rows) == 0 || slices.Contains(a.Names, "args") && !strings.Contains(text, mark) {
			t.Errorf("%s\ngot %s, want rows, and among the arguments %s", statements[i], text, mark)
		}
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
	for config, part := range map[string]runtime.Part{"testdata/config.yaml": s3.Part(), "testdata/parquet.yaml": parquet.Part()} {
		t.Setenv("AWS_REGION", "eu-west-2")
		asked := runtimetest.SinkPage(t, part, root+"/docs/sinks/s3.md", config)
		if _, err := part.Open(asked); err != nil {
			t.Error(err)
		}
	}
}
