// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"encoding/binary"
	"time"

	"github.com/redsift/ingraind/runtime/agg"
)

// Table is how a grain groups events of one kind by a key: every so often it
// gives a row for each key, of what happened since the time before. Its fields
// are generated.
type Table struct {
	Name        string
	Help        string
	Measurement string // what sinks of measurements call it; "" is grain.table
	Event       int    // of which events: an index in Grain.Events
	Every       time.Duration
	Idle        time.Duration // a key goes on having rows for so long after its last event; 0: not at all
	Max         int           // keys; events of any more go to one row without a key
	Sinks       []string      // sinks that may have its rows; none means all

	// Key are the key's columns, each at its Offset in the key's bytes.
	Key     []KeyColumn
	KeySize int // bytes, a multiple of 8
	Cells   []Cell

	// Map is the stem of the names of the table's maps, when it lives in the
	// kernel; "" says that it lives in the agent, and then New makes it.
	Map   string
	Dense int                                 // in the kernel: the keys are so many small numbers; 0: any keys
	New   func(max int, params []int64) Group // params in the order of Grain.Params
}

// KeyColumn is a column of a table's key.
type KeyColumn struct {
	Field
	Offset int  // in the key's bytes
	Size   int  // bytes
	Signed bool // of a number
	Count  int  // of a dense table: the column's values are below it
}

// Cell is what a table counts for each key.
type Cell struct {
	Field          // Type is that of the values; of what is counted, for a mean or a histogram
	State agg.Cell // how it is kept
	Word  int      // the first of its words in a row's (see agg.Layout)
}

// Group is a table in the agent. One goroutine, the reading one, owns it.
type Group interface {
	// Update counts one event.
	Update(r *Record)
	// Each calls row for each key that has events, and for the events of all
	// keys beyond the bound, if there were any, with past true and no key.
	// words are the cells' (see agg.Layout), valid during the call.
	Each(row func(key []byte, words []uint64, past bool))
	// Reset forgets all keys and keeps the memory.
	Reset()
}

// InKernel reports whether programs keep the table.
func (t *Table) InKernel() bool { return t.Map != "" }

// Word is a word of what the cells of a row keep (agg.Layout): 0 is how many
// events the row is of.
func (t *Table) Word(r Record, n int) uint64 {
	at := tableRowHead + t.KeySize + 8*n
	if len(r.Body) < at+8 {
		return 0
	}
	return binary.LittleEndian.Uint64(r.Body[at:])
}

// words is how many words the cells of a key have.
func (t *Table) words() int {
	words := 1
	for i := range t.Cells {
		words += t.Cells[i].State.Words()
	}
	return words
}
