// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/redsift/ingraind/runtime"
)

func TestAnySinkCanBeToldHowRowsGetToIt(t *testing.T) {
	c, dir := newCall(), t.TempDir()
	code := c.run("-sink", "console:memory=1MiB,on_full=block_stream",
		"-sink", "file:path=/a,spool="+dir+",spool_max=2MiB,spool_when=always,fsync=interval=2s")
	if code != 0 {
		t.Fatalf("got exit code %d: %s", code, &c.errs)
	}
	console, file := c.fake.order.Lanes[0], c.fake.order.Lanes[1]
	if console.Limit != 1<<20 || console.OnFull != runtime.BlockStream || console.Spool != nil {
		t.Errorf("console: got %+v", console)
	}
	if file.Limit != 8<<20 || file.OnFull != runtime.FullDefault || file.Spool == nil {
		t.Errorf("file: got %+v", file)
	}
	if _, err := os.Stat(filepath.Join(dir, "file", "state")); err != nil {
		t.Errorf("got %v, want a spool below the folder, named as its sink", err)
	}
	if diff := cmp.Diff(runtime.Settings{"path": "/a", "size": "64MiB"}, c.sinks["file"].settings); diff != "" {
		t.Errorf("the sink itself, -want +got:\n%s", diff)
	}
}

func TestASpoolThatWasAskedForAndCannotBeHadStopsTheStart(t *testing.T) {
	c, dir := newCall(), t.TempDir()
	held, err := runtime.OpenSpool(runtime.SpoolOptions{Dir: filepath.Join(dir, "file")})
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	code := c.run("-sink", "file:path=/a,spool="+dir)
	if want := "another process has it open"; code != 1 || !strings.Contains(c.errs.String(), want) || c.fake.called > 0 || !c.sinks["file"].closed {
		t.Errorf("got exit code %d: %s", code, &c.errs)
	}
}

func TestASinkThatSpoolsUnaskedDoesWithoutWhereItCannot(t *testing.T) {
	c := newCall()
	c.agent.Name = "no\x00name" // no folder can be called so
	c.agent.Sinks[1].Spool = runtime.SpoolAlways
	if code := c.run("-sink", "file:path=/a"); code != 0 || c.fake.order.Lanes[0].Spool != nil || !strings.Contains(c.errs.String(), "will be lost") {
		t.Errorf("got exit code %d: %s", code, &c.errs)
	}
	c = newCall()
	c.agent.Sinks[1].Spool = runtime.SpoolAlways
	if code := c.run("-sink", "file:path=/a,spool=none"); code != 0 || c.fake.order.Lanes[0].Spool != nil || c.errs.Len() > 0 {
		t.Errorf("spool=none: got exit code %d: %s", code, &c.errs)
	}
}

func TestTheLedgerSaysWhatCameFromTheAgentBefore(t *testing.T) {
	l := balanced()
	l.Lanes[1].Inherited, l.Lanes[1].Shipped, l.Lanes[1].Damaged, l.Lanes[1].Crashed = 1000, l.Lanes[1].Shipped+1000, 7, 3
	golden(t, "ledger_spool.txt", string(appendLedger(nil, l, true, false)))
}
