// SPDX-License-Identifier: Apache-2.0

package http_test

import (
	nethttp "net/http"
	"strconv"
	"testing"

	"github.com/redsift/ingraind/runtime/sinktest"
)

// A receiver that knows the names of batches has each row once, whatever happens.
func TestEveryRowIsThereOnceThroughAllFaults(t *testing.T) {
	receiver := sinktest.NewReceiver(t)
	gate := sinktest.NewGate(t, receiver.Address)
	stuck := sinktest.Fault{Name: "a receiver that is stuck", Said: "no answer within", Begin: receiver.Pause, End: receiver.Resume}
	outage := sinktest.Outage{
		Name: "http", Sink: open(t, "http://"+gate.Address+"/rows", "timeout=300ms"), Rows: sinktest.Rows(),
		Faults: append(gate.Faults(nethttp.StatusInternalServerError, strconv.Itoa), stuck, gate.Away(receiver.Kill, receiver.Start)),
	}
	outage.Run(t)
	tally := sinktest.NewTally(outage.Rows)
	for _, text := range receiver.Batches() {
		tally.AddLines(text)
	}
	tally.MustHold(t, true)
	if again, differs := receiver.Again(); again == 0 || differs > 0 {
		t.Errorf("%d batches came again, want some; %d of them were different", again, differs)
	}
}
