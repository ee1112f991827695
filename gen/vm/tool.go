// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// lookTool finds a program and, when it is missing, names the Debian package
// that has it.
func lookTool(name, pkg string) (string, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("%s is not installed; apt-get install %s", name, pkg)
	}
	return path, nil
}

// output runs a command and returns what it printed. The error of a failing
// one holds the last lines of its standard error.
func output(cmd *exec.Cmd) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("%s: %w%s", strings.Join(cmd.Args, " "), err, indent(stderr.String()))
	}
	return stdout.String(), nil
}

// command is exec.CommandContext with plain English output and more
// environment.
func command(ctx context.Context, env []string, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(append(os.Environ(), "LC_ALL=C"), env...)
	return cmd
}

// indent puts the last lines of text below an error, each after a tab.
func indent(text string) string {
	const most = 8
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if len(lines) > most {
		lines = lines[len(lines)-most:]
	}
	if len(lines) == 1 && lines[0] == "" {
		return ""
	}
	return "\n\t" + strings.Join(lines, "\n\t")
}

// firstLine is a text up to its first line's end.
func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
