// SPDX-License-Identifier: Apache-2.0

package syslog_test

import (
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/redsift/ingraind/runtime"
)

// root is where .ci/logs puts rsyslog.
const root = "../../../.cache/logs/root"

// daemon is a rsyslogd that writes messages, as they came, to a file.
type daemon struct {
	t              *testing.T
	config, output string
	cmd            *exec.Cmd
}

// rsyslog is one with an input, which is not started.
func rsyslog(t *testing.T, input string) *daemon {
	t.Helper()
	if _, err := os.Stat(root + "/usr/sbin/rsyslogd"); err != nil {
		t.Fatalf("rsyslog is not there: run .ci/logs (%v)", err)
	}
	dir := t.TempDir()
	d := &daemon{t: t, config: filepath.Join(dir, "conf"), output: filepath.Join(dir, "out")}
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
	t.Cleanup(d.kill)
	return d
}

func (d *daemon) start() {
	d.t.Helper()
	base, err := filepath.Abs(root) // it leaves this folder
	if err != nil {
		d.t.Fatal(err)
	}
	libraries := filepath.Join(base, "usr/lib/x86_64-linux-gnu")
	d.cmd = exec.Command(root+"/usr/sbin/rsyslogd", "-n", "-f", d.config, "-i", filepath.Join(filepath.Dir(d.config), "pid"+strconv.FormatInt(time.Now().UnixNano(), 10)), "-M", filepath.Join(libraries, "rsyslog"))
	d.cmd.Env = append(os.Environ(), "LD_LIBRARY_PATH="+libraries)
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	d.cmd.Stderr = os.Stderr
	if err := d.cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
}

func (d *daemon) kill() {
	if d.cmd != nil {
		_ = d.cmd.Process.Kill()
		_ = d.cmd.Wait()
		d.cmd = nil
	}
}

// counts are how often each of rows was received.
func (d *daemon) counts(rows int) (times []int, missing int) {
	d.t.Helper()
	text, err := os.ReadFile(d.output)
	if err != nil {
		d.t.Fatal(err)
	}
	times = make([]int, rows)
	keys := map[string]int{}
	for line := range strings.Lines(string(text)) {
		m, err := parse(strings.TrimSuffix(line, "\n"))
		if err != nil {
			continue // what a kill left of a line
		}
		var n int
		if _, err := fmt.Sscanf(m.msg, `{"n":%d}`, &n); err != nil || n < 0 || n >= rows {
			d.t.Fatalf("got %q", m.msg)
		}
		times[n]++
		sd := m.data["ingraind@32473"]
		key := sd["batch"] + " " + sd["index"]
		if have, ok := keys[key]; ok && have != n {
			d.t.Errorf("batch and index %s are of the rows %d and %d", key, have, n)
		}
		keys[key] = n
	}
	for _, n := range times {
		if n == 0 {
			missing++
		}
	}
	return times, missing
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func numbered(e *runtime.Event, n int) *runtime.Row {
	return &runtime.Row{Event: e, Record: runtime.Record{Weight: 1, Body: binary.LittleEndian.AppendUint64(nil, uint64(n))}}
}

func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(3 * time.Minute); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited 3 min for %s", what)
		}
	}
}

// outage ships rows while the receiver is away, paused, killed if kills, and
// back, until the lane says that all are shipped and the receiver is idle.
func outage(t *testing.T, d *daemon, kills bool, changes ...string) (times []int, missing int) {
	const rows = 100_000
	var failed atomic.Int64
	spool, err := runtime.OpenSpool(runtime.SpoolOptions{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	lanes := runtime.NewLanes(runtime.NewLane(runtime.LaneOptions{
		Name: "syslog", Sink: open(t, changes...), Spool: spool, Log: func(error) { failed.Add(1) },
	}))
	e := &runtime.Event{Name: "number", Stream: true, AppendJSON: func(dst []byte, r runtime.Record) []byte {
		return append(runtime.AppendUint(append(dst, `{"n":`...), binary.LittleEndian.Uint64(r.Body)), '}')
	}}
	shipped := func() uint64 { return lanes.Books()[0].Shipped }
	add := func(from, to int) {
		for n := from; n < to; n++ {
			lanes.Add(numbered(e, n))
		}
	}
	add(0, rows/4)
	until(t, "an error", func() bool { lanes.Tick(time.Now().Add(time.Minute)); return failed.Load() > 0 })
	d.start()
	until(t, "rows", func() bool { lanes.Tick(time.Now().Add(time.Minute)); return shipped() > 0 })
	_ = d.cmd.Process.Signal(syscall.SIGSTOP)
	add(rows/4, rows/2)
	time.Sleep(300 * time.Millisecond) // a pause, not a wait for anything
	_ = d.cmd.Process.Signal(syscall.SIGCONT)
	until(t, "a quarter", func() bool { lanes.Tick(time.Now().Add(time.Minute)); return shipped() >= rows/4 })
	if kills {
		d.kill()
	}
	add(rows/2, rows)
	if kills {
		d.start()
	}
	until(t, "all rows", func() bool { lanes.Tick(time.Now().Add(time.Minute)); return shipped() == rows })
	if err := lanes.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if b := lanes.Books()[0]; b.In != rows || b.Dropped != 0 || b.Retries == 0 {
		t.Errorf("got %+v, want all rows shipped, with retries", b)
	}
	size := int64(-1)
	until(t, "the receiver to be idle", func() bool {
		time.Sleep(500 * time.Millisecond)
		info, err := os.Stat(d.output)
		if err != nil || info.Size() == size {
			return err == nil
		}
		size = info.Size()
		return false
	})
	return d.counts(rows)
}

func TestEachRowArrivesOverTCPThroughAPause(t *testing.T) {
	address := freeAddress(t)
	_, port, _ := net.SplitHostPort(address)
	d := rsyslog(t, fmt.Sprintf(`module(load="imtcp")
input(type="imtcp" address="127.0.0.1" port=%q)`, port))
	if _, missing := outage(t, d, false, "address=tcp://"+address); missing > 0 {
		t.Errorf("%d rows are missing", missing)
	}
}

// What the killed receiver's kernel had and the receiver had not written is
// lost: nothing in syslog tells.
func TestRowsLostOverTCPWithAKilledReceiverAreThoseInFlight(t *testing.T) {
	address := freeAddress(t)
	_, port, _ := net.SplitHostPort(address)
	d := rsyslog(t, fmt.Sprintf(`module(load="imtcp")
input(type="imtcp" address="127.0.0.1" port=%q)`, port))
	times, missing := outage(t, d, true, "address=tcp://"+address)
	first, last := -1, -1
	for n, k := range times {
		if k == 0 {
			if last = n; first < 0 {
				first = n
			}
		}
	}
	t.Logf("%d rows are missing, from %d to %d", missing, first, last)
	if missing > 0 && last-first+1 != missing {
		t.Errorf("%d rows are missing, from %d to %d: want one stretch", missing, first, last)
	}
}

func TestEachRowArrivesOverAUnixSocketThroughAPause(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	d := rsyslog(t, fmt.Sprintf(`module(load="imuxsock" sysSock.use="off")
input(type="imuxsock" socket=%q rateLimit.interval="0" useSpecialParser="off" parseHostname="on")`, path))
	times, missing := outage(t, d, false, "address=unix://"+path)
	again := 0
	for _, k := range times {
		if k > 1 {
			again++
		}
	}
	if missing > 0 || again > 0 {
		t.Errorf("%d rows are missing, %d came again", missing, again)
	}
}
