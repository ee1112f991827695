// SPDX-License-Identifier: Apache-2.0

package journald_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/redsift/ingraind/runtime/sinktest"
)

// journal is a systemd-journald that has /run and its configuration to itself.
type journal struct {
	*sinktest.Process
	t           *testing.T
	dir, socket string
}

// own makes what the daemon sees of the machine, in its mount namespace.
const own = `set -e
mount --bind "$1/conf" /etc/systemd/journald.conf
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/journal /run/log/journal
mount --bind "$1/sock" /run/systemd/journal
mount --bind "$1/log" /run/log/journal
exec /lib/systemd/systemd-journald`

func newJournal(t *testing.T) *journal {
	t.Helper()
	for _, file := range []string{"/lib/systemd/systemd-journald", "/etc/systemd/journald.conf"} {
		if _, err := os.Stat(file); err != nil {
			t.Fatalf("journald is not installed: run .ci/logs (%v)", err)
		}
	}
	j := &journal{Process: sinktest.NewProcess(t), t: t, dir: t.TempDir()}
	j.socket = filepath.Join(j.dir, "sock", "socket")
	for _, name := range []string{"sock", "log"} {
		if err := os.Mkdir(filepath.Join(j.dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	conf := "[Journal]\nStorage=volatile\nRateLimitIntervalSec=0\nRuntimeMaxUse=2G\nRuntimeKeepFree=1M\nReadKMsg=no\nAudit=no\nForwardToSyslog=no\nForwardToWall=no\n"
	if err := os.WriteFile(filepath.Join(j.dir, "conf"), []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	return j
}

// Start starts it and waits until it listens.
func (j *journal) Start() {
	j.t.Helper()
	_ = os.Remove(j.socket)
	cmd := exec.Command("unshare", "-m", "--propagation", "private", "sh", "-c", own, "sh", j.dir)
	cmd.Stderr = os.Stderr
	j.Process.Start(cmd)
	sinktest.Until(j.t, "the journal's socket", func() bool { _, err := os.Stat(j.socket); return err == nil })
}

// entries are those of the identifier ingraind, as journalctl reads them.
func (j *journal) entries() (all []map[string]any) {
	j.t.Helper()
	cmd := exec.Command("journalctl", "-D", filepath.Join(j.dir, "log"), "-t", "ingraind", "-o", "json", "--all", "--no-pager", "-q")
	out, err := cmd.StdoutPipe()
	if err != nil {
		j.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		j.t.Fatal(err)
	}
	for in := json.NewDecoder(bufio.NewReader(out)); in.More(); {
		var e map[string]any
		if err := in.Decode(&e); err != nil {
			j.t.Fatal(err)
		}
		all = append(all, e)
	}
	_ = cmd.Wait() // it ends with 1 when there is none
	return all
}

// binary is a field that journalctl may show as an array of bytes.
func binary(v any) string {
	list, ok := v.([]any)
	if !ok {
		return fmt.Sprint(v)
	}
	var b strings.Builder
	for _, c := range list {
		b.WriteByte(byte(c.(float64)))
	}
	return b.String()
}
