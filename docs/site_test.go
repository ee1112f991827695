// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The README's example, followed to the letter by somebody who has no tree:
// each file is written, each command run, and a removed file is seen.
func TestTheReadmesGrainWorks(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Fatal("this test runs an agent: run it as root")
	}
	if _, err := exec.LookPath("clang-19"); err != nil {
		t.Fatal("this test generates a grain: apt-get install clang-19 llvm-19")
	}
	readme := read(t, "README.md")
	r := reader{t: t, dir: t.TempDir(), env: published(t)}
	for _, b := range readme.marked("file", "run") {
		if b.mark == "file" {
			r.write(b.arg, b.text)
			continue
		}
		for line := range strings.Lines(b.text) {
			if agent, ok := strings.CutPrefix(strings.TrimSpace(line), "sudo "); ok {
				r.agents = append(r.agents, agent)
				continue
			}
			r.run(line)
		}
	}
	if len(r.agents) != 1 {
		t.Fatalf("got agents %q, want one command with sudo", r.agents)
	}
	r.watch(r.agents[0])

	known := fields(t, filepath.Join(r.dir, strings.Fields(r.agents[0])[0]))
	for _, b := range readme.marked("rows") {
		if b.arg == "unlinks.unlink" {
			checkRows(t, readme.name, b, known)
		}
	}
	r.mistake(readme)
}

func TestTheReadmesInstallWorks(t *testing.T) {
	r := reader{t: t, dir: t.TempDir(), env: published(t)}
	bin := filepath.Join(r.dir, "bin")
	r.env = append(r.env, "GOBIN="+bin)
	for _, b := range read(t, "README.md").marked("install") {
		r.run(b.text)
	}
	out, err := exec.Command(filepath.Join(bin, "ingraind"), "version").CombinedOutput()
	if want := "ingraind " + version + " "; err != nil || !strings.HasPrefix(string(out), want) {
		t.Errorf("got %q, %v of what was installed, want %q...", out, err, want)
	}
}

// reader does what a page says.
type reader struct {
	t      *testing.T
	dir    string // where it is
	env    []string
	agents []string // commands with sudo, left for the end
}

func (r *reader) write(name, text string) {
	r.t.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

// run runs a line in a shell, and stays where that went.
func (r *reader) run(line string) {
	r.t.Helper()
	cmd := exec.Command("sh", "-ec", line+"\npwd >&3")
	cmd.Dir, cmd.Env = r.dir, r.env
	out, in, err := os.Pipe()
	if err != nil {
		r.t.Fatal(err)
	}
	cmd.ExtraFiles = []*os.File{in}
	text, err := cmd.CombinedOutput()
	in.Close()
	if err != nil {
		r.t.Fatalf("%s: %v\n%s", line, err, text)
	}
	where, err := io.ReadAll(out)
	if err != nil {
		r.t.Fatal(err)
	}
	r.dir = strings.TrimSpace(string(where))
}

// watch starts an agent, removes a file until a row says so, and ends it.
func (r *reader) watch(command string) {
	t := r.t
	t.Helper()
	cmd := exec.Command("sh", "-c", "exec "+command)
	cmd.Dir, cmd.Stderr = r.dir, os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(time.Minute, func() { cmd.Process.Kill() })
	defer timer.Stop()
	stop := make(chan struct{})
	removed := make(chan struct{})
	go func() {
		defer close(removed)
		for {
			select {
			case <-stop:
				return
			case <-time.After(100 * time.Millisecond):
			}
			again := exec.Command("sh", "-c", "touch x && rm x")
			again.Dir = r.dir
			_ = again.Run()
		}
	}()
	seen := false
	for lines := bufio.NewScanner(out); !seen && lines.Scan(); {
		var row struct {
			Grain, Event, Path string
			Who                struct{ Comm string }
		}
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			t.Errorf("a row is no JSON: %v: %s", err, lines.Text())
		}
		seen = row.Grain == "unlinks" && row.Event == "unlink" && row.Path == "x" && row.Who.Comm == "rm"
	}
	close(stop)
	<-removed
	if !seen {
		t.Errorf("%s: got no row that says that rm removed x", command)
	}
	_ = cmd.Process.Signal(unix.SIGINT)
	_, _ = io.Copy(io.Discard, out)
	if err := cmd.Wait(); err != nil {
		t.Errorf("%s: got %v after SIGINT, want exit code 0", command, err)
	}
}

var mistaken = regexp.MustCompile(`^grains/unlinks\.yaml:\d+:\d+: there is no system call (\w+);.*$`)

// mistake makes the mistake that the page shows, and looks for that message.
func (r *reader) mistake(page document) {
	t := r.t
	t.Helper()
	shown := slices.IndexFunc(page.spans(), mistaken.MatchString)
	if shown < 0 {
		t.Fatalf("%s shows no mistake, want one in back quotes", page.name)
	}
	message := page.spans()[shown]
	yaml := page.marked("file")[0]
	r.write(yaml.arg, strings.Replace(yaml.text, "syscall/unlinkat", "syscall/"+mistaken.FindStringSubmatch(message)[1], 1))
	cmd := exec.Command("go", "tool", "ingrain", "generate")
	cmd.Dir, cmd.Env = r.dir, r.env
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains("\n"+string(out), "\n"+message+"\n") {
		t.Errorf("got %v:\n%swant\n%s", err, out, message)
	}
}
