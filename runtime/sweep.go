// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// tracePrefix begins the group names of events that we make in tracefs, where
// a kernel has no other way to make a kprobe. The process's id follows.
const tracePrefix = "ingraind"

// traceGroup is what the group names of this process's events begin with.
func traceGroup() string { return tracePrefix + "_" + strconv.Itoa(os.Getpid()) }

// SweepLeftovers removes what outlives an agent that was killed, unlike all
// else that it attaches: events of tracefs, and filters of clsact qdiscs. It
// returns how many it removed. Events in use stay: the kernel does not give
// them up.
func SweepLeftovers() (int, error) {
	swept, err := sweepFilters(processGone)
	errs := []error{err}
	for _, dir := range traceDirs() {
		for _, file := range []string{"kprobe_events", "uprobe_events"} {
			n, err := sweepFile(filepath.Join(dir, file), processGone)
			swept += n
			errs = append(errs, err)
		}
	}
	return swept, errors.Join(errs...)
}

// sweepFile removes the leftovers that one file of tracefs lists, in lines
// such as "r4:ingraind_123_0f/tcp_connect tcp_connect".
func sweepFile(name string, gone func(pid int) bool) (int, error) {
	text, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("sweep leftovers: %w", err)
	}
	var swept int
	var errs []error
	for line := range strings.Lines(string(text)) {
		event, pid := leftover(line)
		if event == "" || !gone(pid) {
			continue
		}
		if err := appendFile(name, "-:"+event); err != nil {
			errs = append(errs, fmt.Errorf("sweep leftover %s: %w", event, err))
			continue
		}
		swept++
	}
	return swept, errors.Join(errs...)
}

// leftover is the event that a line describes and the process that made it,
// or "" when it is none of ours.
func leftover(line string) (event string, pid int) {
	head, _, _ := strings.Cut(strings.TrimSpace(line), " ")
	_, event, _ = strings.Cut(head, ":")
	rest, ours := strings.CutPrefix(event, tracePrefix+"_")
	number, _, whole := strings.Cut(rest, "_")
	pid, err := strconv.Atoi(number)
	if !ours || !whole || err != nil {
		return "", 0
	}
	return event, pid
}

func processGone(pid int) bool {
	_, err := os.Stat(filepath.Join("/proc", strconv.Itoa(pid)))
	return errors.Is(err, os.ErrNotExist)
}

func appendFile(name, text string) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// traceDirs are the places where tracefs is mounted: as a rule one.
func traceDirs() []string {
	f, err := os.Open("/proc/self/mounts")
	if err != nil {
		return nil
	}
	defer f.Close()
	var dirs []string
	for lines := bufio.NewScanner(f); lines.Scan(); {
		field := strings.Fields(lines.Text())
		if len(field) > 2 && field[2] == "tracefs" {
			return []string{field[1]}
		}
		if len(field) > 2 && field[2] == "debugfs" {
			dirs = append(dirs, filepath.Join(field[1], "tracing"))
		}
	}
	return dirs
}
