// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// contender is an agent, and how it is started.
type contender struct {
	name    string
	program string
	args    []string
	says    bool // that it is ready among its rows, not on standard error
	books   bool // prints a ledger at its end: one of ours
}

// agent is a contender that runs, and prints into a file.
type agent struct {
	contender
	cmd   *exec.Cmd
	out   string
	said  bytes.Buffer // on standard error, complete when it has ended
	ended chan error
}

// ready is what agents say when they are attached; see readyWithin.
const (
	ready       = "watching"
	readyWithin = 20 * time.Second
)

// begin starts an agent that prints into a file, and returns when it is attached.
func (b *bench) begin(c contender) (*agent, error) {
	out, err := os.Create(b.path("rows"))
	if err != nil {
		return nil, err
	}
	defer out.Close()
	return beginTo(out, c)
}

// beginTo is begin for an agent that prints elsewhere.
func beginTo(out io.Writer, c contender) (*agent, error) {
	a := &agent{contender: c, cmd: exec.Command(c.program, c.args...), ended: make(chan error, 1)}
	if f, ok := out.(*os.File); ok {
		a.out = f.Name()
	}
	a.cmd.Stdout = out
	said, err := a.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := a.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", c.name, err)
	}
	attached := make(chan bool, 2)
	if c.says {
		go a.waitForLine(attached)
	}
	go func() {
		lines := bufio.NewScanner(io.TeeReader(said, &a.said))
		for lines.Scan() {
			if strings.Contains(lines.Text(), ready) {
				attached <- true
			}
		}
		err := a.cmd.Wait()
		if err != nil {
			err = fmt.Errorf("%s: %w: %s", c.name, err, a.said.Bytes())
		}
		a.ended <- err
	}()
	select {
	case <-attached:
		return a, nil
	case err := <-a.ended:
		return nil, fmt.Errorf("%s ended too early: %w", c.name, err)
	case <-time.After(readyWithin):
		a.cmd.Process.Kill()
		return nil, fmt.Errorf("%s did not say %q: %s", c.name, ready, a.said.Bytes())
	}
}

// waitForLine tells when the agent says among its rows that it is attached.
func (a *agent) waitForLine(attached chan<- bool) {
	for end := time.Now().Add(readyWithin); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if bytes.Contains([]byte(contents(a.out)), []byte(ready)) {
			attached <- true
			return
		}
	}
}

// during is the CPU time that the agent takes while something happens, ns.
func (a *agent) during(happens func() error) (int64, error) {
	before, err := processCPU(a.cmd.Process.Pid)
	if err != nil {
		return 0, err
	}
	if err := happens(); err != nil {
		return 0, err
	}
	after, err := processCPU(a.cmd.Process.Pid)
	return after - before, err
}

// end lets the agent print what it has read, and end.
func (a *agent) end() error {
	if err := a.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case err := <-a.ended:
		return err
	case <-time.After(10 * time.Second):
		a.cmd.Process.Kill()
		return fmt.Errorf("%s does not end", a.name)
	}
}

// rows is how many lines the agent has printed, and how many of them hold text.
func (a *agent) rows(text string) (all, holding int, err error) {
	f, err := os.Open(a.out)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		all++
		if bytes.Contains(lines.Bytes(), []byte(text)) {
			holding++
		}
	}
	return all, holding, lines.Err()
}

// status is a line of an agent's /proc/PID/status, in KiB.
func (a *agent) status(key string) float64 {
	var kib float64
	text := contents(fmt.Sprintf("/proc/%d/status", a.cmd.Process.Pid))
	_, _ = fmt.Sscan(valueOf(text, key), &kib)
	return kib
}

// ledger adds up a column of a section of the ledger that an agent of ours
// prints at its end; see runtime.Ledger.
func (a *agent) ledger(section, column string) (int, error) {
	at, sum := -1, 0
	for line := range strings.Lines(a.said.String()) {
		words := strings.Fields(line)
		switch {
		case len(words) > 1 && words[0] == section:
			at = slices.Index(words, column)
		case at >= len(words) || at > 0 && !strings.HasPrefix(line, "  "):
			return sum, nil
		case at > 0:
			n, err := strconv.Atoi(words[at])
			if err != nil {
				return 0, fmt.Errorf("%s: ledger: %w", a.name, err)
			}
			sum += n
		}
	}
	if at < 0 {
		return 0, fmt.Errorf("%s printed no column %s of %s in a ledger: %s", a.name, column, section, a.said.Bytes())
	}
	return sum, nil
}
