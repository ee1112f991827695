// SPDX-License-Identifier: Apache-2.0

package syslog_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redsift/ingraind/runtime/sinktest"
)

// root is where .ci/logs puts rsyslog.
const root = "../../../.cache/logs/root"

// daemon is a rsyslogd that writes messages, as they came, to a file.
type daemon struct {
	*sinktest.Process
	t              *testing.T
	config, output string
}

// rsyslog is one with an input, which is not started.
func rsyslog(t *testing.T, input string) *daemon {
	t.Helper()
	if _, err := os.Stat(root + "/usr/sbin/rsyslogd"); err != nil {
		t.Fatalf("rsyslog is not there: run .ci/logs (%v)", err)
	}
	dir := t.TempDir()
	d := &daemon{Process: sinktest.NewProcess(t), t: t, config: filepath.Join(dir, "conf"), output: filepath.Join(dir, "out")}
	text := fmt.Sprintf(`
global(workDirectory=%q maxMessageSize="64k" parser.escapeControlCharactersOnReceive="off")
main_queue(queue.type="Direct")
template(name="raw" type="string" string="%%rawmsg%%\n")
%s
action(type="omfile" file=%q template="raw")
`, dir, input, d.output)
	if err := os.WriteFile(d.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return d
}

// Start starts it.
func (d *daemon) Start() {
	d.t.Helper()
	base, err := filepath.Abs(root) // it leaves this folder
	if err != nil {
		d.t.Fatal(err)
	}
	libraries := filepath.Join(base, "usr/lib/x86_64-linux-gnu")
	cmd := exec.Command(root+"/usr/sbin/rsyslogd", "-n", "-f", d.config, "-i", filepath.Join(filepath.Dir(d.config), "pid"+strconv.FormatInt(time.Now().UnixNano(), 10)), "-M", filepath.Join(libraries, "rsyslog"))
	cmd.Env = append(os.Environ(), "LD_LIBRARY_PATH="+libraries)
	cmd.Stderr = os.Stderr
	d.Process.Start(cmd)
}

// counts are what was received. What a kill left of a line is none.
func (d *daemon) counts(rows int) *sinktest.Tally {
	d.t.Helper()
	text, err := os.ReadFile(d.output)
	if err != nil {
		d.t.Fatal(err)
	}
	tally, keys := sinktest.NewTally(rows), map[string]string{}
	for line := range strings.Lines(string(text)) {
		m, err := parse(strings.TrimSuffix(line, "\n"))
		if err != nil {
			continue
		}
		tally.AddText(m.msg)
		sd := m.data["ingraind@32473"]
		key := sd["batch"] + " " + sd["index"]
		if have, ok := keys[key]; ok && have != m.msg {
			d.t.Errorf("batch and index %s are of the rows %s and %s", key, have, m.msg)
		}
		keys[key] = m.msg
	}
	return tally
}

// outage ships rows while the receiver is away, paused, killed if kills, and
// back, until the lane says that all are shipped and the receiver is idle.
func outage(t *testing.T, d *daemon, kills bool, changes ...string) *sinktest.Tally {
	o := sinktest.Outage{Name: "syslog", Sink: open(t, changes...), Rows: sinktest.Rows(), Faults: []sinktest.Fault{
		{Name: "a receiver that is away", Begin: func() {}, End: d.Start},
		sinktest.Pause(func() { d.Pause() }, func() { d.Resume() }, 300*time.Millisecond),
	}}
	if kills {
		o.Faults = append(o.Faults, sinktest.Fault{Name: "a receiver that is killed", Begin: d.Kill, End: d.Start})
	}
	o.Run(t)
	size := int64(-1)
	sinktest.Until(t, "the receiver to be idle", func() bool {
		time.Sleep(500 * time.Millisecond)
		info, err := os.Stat(d.output)
		if err != nil || info.Size() == size {
			return err == nil
		}
		size = info.Size()
		return false
	})
	return d.counts(o.Rows)
}

func TestEachRowArrivesOverTCPThroughAPause(t *testing.T) {
	address := sinktest.FreeAddress(t)
	_, port, _ := net.SplitHostPort(address)
	d := rsyslog(t, fmt.Sprintf(`module(load="imtcp")
input(type="imtcp" address="127.0.0.1" port=%q)`, port))
	outage(t, d, false, "address=tcp://"+address).MustHold(t, false)
}

// What the killed receiver's kernel had and the receiver had not written is
// lost: nothing in syslog tells.
func TestRowsLostOverTCPWithAKilledReceiverAreThoseInFlight(t *testing.T) {
	address := sinktest.FreeAddress(t)
	_, port, _ := net.SplitHostPort(address)
	d := rsyslog(t, fmt.Sprintf(`module(load="imtcp")
input(type="imtcp" address="127.0.0.1" port=%q)`, port))
	missing := outage(t, d, true, "address=tcp://"+address).Missing(0, sinktest.Rows())
	t.Logf("missing are %v", missing)
	if len(missing) > 1 {
		t.Errorf("rows are missing in %d stretches, want one: %v", len(missing), missing)
	}
}

func TestEachRowArrivesOverAUnixSocketThroughAPause(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	d := rsyslog(t, fmt.Sprintf(`module(load="imuxsock" sysSock.use="off")
input(type="imuxsock" socket=%q rateLimit.interval="0" useSpecialParser="off" parseHostname="on")`, path))
	outage(t, d, false, "address=unix://"+path).MustHold(t, true)
}
