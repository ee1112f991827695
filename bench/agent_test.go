// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"
)

const ledgerText = `{"level":"DEBUG","msg":"watching"}
events         seen  emitted   lost  errors    read
  open.open     316      316      2       0     314
  open.close    100      100      1       0      99
reader         read  decoded  undecodable  skipped
                413      413            0        0
sinks            in  shipped  pending  spooled  dropped  retries
  console       413      409        0        0        4        0
the books balance
`

func TestALedgersColumnsAreAddedUp(t *testing.T) {
	a := &agent{}
	a.said.WriteString(ledgerText)
	for _, c := range []struct {
		section, column string
		want            int
	}{{"events", "seen", 416}, {"events", "lost", 3}, {"sinks", "dropped", 4}} {
		if got, err := a.ledger(c.section, c.column); err != nil || got != c.want {
			t.Errorf("%s, %s: got %d, %v, want %d", c.section, c.column, got, err, c.want)
		}
	}
	if _, err := a.ledger("events", "none"); err == nil {
		t.Error("got no error for a column that is not there")
	}
}

func TestAnEventInNeitherRowsNorLossesIsAnError(t *testing.T) {
	a := &agent{}
	a.said.WriteString(ledgerText)
	if lost, err := a.accounts(300, 409, 295); err != nil || lost != 7 { // 2 of the lost are others'
		t.Errorf("got %d, %v, want 7 lost and books that balance", lost, err)
	}
	for _, c := range []struct{ opens, rows, ofLoad int }{{300, 408, 295}, {300, 409, 292}, {300, 409, 301}} {
		if _, err := a.accounts(c.opens, c.rows, c.ofLoad); err == nil {
			t.Errorf("%+v: got no error", c)
		}
	}
	a.said.Reset()
	a.said.WriteString(strings.Replace(ledgerText, "  console       413", "  console       nil", 1))
	if _, err := a.ledger("sinks", "in"); err == nil {
		t.Error("got no error for a ledger with a word for a number")
	}
}
