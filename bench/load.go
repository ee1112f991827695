// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"time"
)

// opens is what the command load did.
type opens struct {
	Opens   int
	Calls   int
	Seconds float64
	NS      float64
}

// load returns the command that opens a file rate times a second, or for 0
// as often as it can, and the file.
func (b *bench) load(rate int, length time.Duration) (cmd *exec.Cmd, path string, err error) {
	program, err := b.build("bench/load")
	if err != nil {
		return nil, "", err
	}
	path = b.path("opened-by-load")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		return nil, "", err
	}
	return exec.Command(program, "-rate", strconv.Itoa(rate), "-for", length.String(), "-path", path), path, nil
}

// opened runs that command, and returns what it says.
func opened(cmd *exec.Cmd) (opens, error) {
	var did opens
	out, err := output(cmd)
	if err != nil {
		return did, err
	}
	if err := json.Unmarshal([]byte(out), &did); err != nil {
		return did, fmt.Errorf("load says %q: %w", out, err)
	}
	return did, nil
}
