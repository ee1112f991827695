// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"bytes"
	"encoding/binary"
	"slices"
	"time"

	"github.com/redsift/ingraind/runtime/internal/ktable"
)

// tables are the tables of an agent at work. The reading goroutine owns them;
// those in the kernel are read beside it, because the kernel waits for running
// programs before a table can be read.
type tables struct {
	all    []*counting
	lanes  *Lanes
	orders chan *counting // to be read from the kernel
	done   chan *counting // has been
	now    time.Time      // of a replay: that of the latest event
	alarm  *time.Timer    // wakes the reader when a table is due
	failed func(error)    // told, on the reading goroutine, that a table could not be read
}

// counting is a table at work.
type counting struct {
	table *Table
	rows  *Event // what describes its rows

	group  Group         // in the agent
	kernel *ktable.Table // in the kernel

	since time.Time // what has been counted since then has not been told
	due   time.Time
	away  bool // it is being read from the kernel
	read  tableRows
	err   error // of reading it

	quiet map[string]time.Time // of a table with Idle: when keys had events
	row   Row
	body  []byte
	books TableBooks
}

// tableRows are what was read of a table: rows of a key and words each.
type tableRows struct {
	size  int // of a key
	words int // of the cells; a row may have more behind them, for a top
	rows  []byte
	order []tableRow // in the order of their keys, so that equal events give equal output
}

// tableRow is where a row is.
type tableRow struct {
	from, to int
	past     bool // it is that of all keys beyond the bound
}

func (r *tableRows) reset() { r.rows, r.order = r.rows[:0], r.order[:0] }

// sort puts rows in the order of their keys, and that of all others last.
func (r *tableRows) sort() {
	slices.SortFunc(r.order, func(a, b tableRow) int {
		if a.past != b.past {
			if a.past {
				return 1
			}
			return -1
		}
		return bytes.Compare(r.rows[a.from:a.from+r.size], r.rows[b.from:b.from+r.size])
	})
}

// add appends a row.
func (r *tableRows) add(key []byte, words []uint64, past bool) {
	at := len(r.rows)
	r.rows = append(r.rows, key...)
	for len(r.rows) < at+r.size { // the key of all others is empty
		r.rows = append(r.rows, 0)
	}
	for _, w := range words {
		r.rows = binary.LittleEndian.AppendUint64(r.rows, w)
	}
	r.order = append(r.order, tableRow{at, len(r.rows), past})
}

// openTables makes the tables of grains, and lets events reach those that are
// in the agent.
func (s *session) openTables(grains []*Grain) error {
	s.tables = &tables{lanes: s.lanes, failed: func(err error) { s.Log.Error("a table could not be read", "error", err) }}
	for i, g := range grains {
		params, err := g.paramValues(paramsOf(g, s.Params))
		if err != nil {
			return err
		}
		for n := range s.intake.events[i] {
			s.intake.events[i][n].params = params
		}
		for n := range g.Tables {
			t := &g.Tables[n]
			rows := rowsOf(g, t)
			c := &counting{table: t, rows: rows, row: Row{Grain: g, Event: rows}, books: TableBooks{Grain: g.Name, Table: t.Name}}
			c.read.size, c.read.words = t.KeySize, t.words()
			if t.Idle > 0 {
				c.quiet = map[string]time.Time{}
			}
			if !t.InKernel() {
				c.group = t.New(t.Max, params)
				a := &s.intake.events[i][t.Event]
				a.tables = append(a.tables, c.group)
			} else if i < len(s.loaded) {
				c.kernel = s.loaded[i].tables[t.Map]
			}
			if c.group != nil || c.kernel != nil { // else this is a replay: what was counted in a kernel is not recorded
				s.tables.all = append(s.tables.all, c)
			}
		}
	}
	s.tables.orders = make(chan *counting, len(s.tables.all))
	s.tables.done = make(chan *counting, len(s.tables.all))
	return nil
}

// run begins to count, and wakes the reader when there is something to do,
// until it is told to stop.
func (t *tables) run(wake func()) (stop func()) {
	if len(t.all) == 0 {
		return func() {}
	}
	now := time.Now()
	for _, c := range t.all {
		c.start(now)
	}
	t.alarm = time.AfterFunc(time.Until(t.next()), wake)
	go t.readKernel(wake)
	return func() {
		t.alarm.Stop()
		close(t.orders)
	}
}

// start is when counting begins.
func (c *counting) start(now time.Time) {
	c.since, c.due = now, dueAfter(now, c.table.Every)
}

// dueAfter is the next whole multiple of every on the wall clock.
func dueAfter(now time.Time, every time.Duration) time.Time {
	return now.Truncate(every).Add(every)
}

// tick tells what is due. It never waits.
func (t *tables) tick(now time.Time) {
	told := t.told()
	for _, c := range t.all {
		if c.away || now.Before(c.due) {
			continue
		}
		if c.kernel != nil {
			c.away = true
			c.kernel.Swap() // the interval ends now, whenever it is read
			t.orders <- c   // has room for each
			continue
		}
		c.collect()
		t.tell(c, c.due)
		told = true
	}
	if told {
		t.alarm.Reset(time.Until(t.next()))
	}
}

// waiting reports whether a table has been read and not told.
func (t *tables) waiting() bool { return len(t.done) > 0 }

// told tells what has been read from the kernel since.
func (t *tables) told() (any bool) {
	for {
		select {
		case c := <-t.done:
			t.tell(c, c.due)
			c.away, any = false, true
		default:
			return any
		}
	}
}

// next is when a table is due, the first of them.
func (t *tables) next() time.Time {
	first := t.all[0].due
	for _, c := range t.all[1:] {
		if c.due.Before(first) {
			first = c.due
		}
	}
	return first
}

// replay tells what is due at a time of a recording, which is that of the
// first event when nothing has been counted yet.
func (t *tables) replay(now time.Time) {
	for _, c := range t.all {
		if c.due.IsZero() {
			c.start(now)
		}
		if !now.Before(c.due) {
			c.collect()
			t.tell(c, c.due)
			c.start(now.Truncate(c.table.Every))
		}
	}
	t.now = now
}

// replayed tells what is left at the end of a recording.
func (t *tables) replayed() {
	if !t.now.IsZero() {
		t.finish(t.now)
	}
}

// books is what became of each table so far.
func (t *tables) books() []TableBooks {
	if t == nil {
		return nil
	}
	var books []TableBooks
	for _, c := range t.all {
		books = append(books, c.books)
	}
	return books
}

// readKernel reads tables that are ordered until there are no more orders.
// woken is called after each.
func (t *tables) readKernel(woken func()) {
	for c := range t.orders {
		c.collect()
		t.done <- c
		woken()
	}
}

// finish tells what has not been told yet, at the end: programs are detached,
// and all records have been read.
func (t *tables) finish(now time.Time) {
	for _, c := range t.all {
		for c.away {
			d := <-t.done
			t.tell(d, d.due)
			d.away = false
		}
		c.collect()
		t.tell(c, now)
	}
}

// collect takes the rows out of the table.
func (c *counting) collect() {
	c.read.reset()
	if c.kernel != nil {
		c.err = c.kernel.Flush(c.read.add)
	} else {
		c.group.Each(c.read.add)
		c.group.Reset()
	}
	c.read.sort()
}

// tell hands the rows that were collected to the lanes, as those of the time
// until end.
func (t *tables) tell(c *counting, end time.Time) {
	if c.err != nil {
		t.failed(c.err)
		c.err = nil
	}
	interval := end.Sub(c.since)
	for _, at := range c.read.order {
		row := c.read.rows[at.from:at.to]
		if at.past {
			c.books.Overflow += binary.LittleEndian.Uint64(row[c.read.size:])
		} else if c.quiet != nil {
			c.remember(row[:c.read.size], end)
		}
		t.add(c, row, at.past, interval, end)
	}
	t.addQuiet(c, interval, end)
	c.since, c.due = end, dueAfter(end, c.table.Every)
}

// add hands one row to the lanes.
func (t *tables) add(c *counting, row []byte, past bool, interval time.Duration, end time.Time) {
	flags := uint64(0)
	if past {
		flags = pastBound
	}
	c.body = binary.LittleEndian.AppendUint64(c.body[:0], uint64(interval))
	c.body = binary.LittleEndian.AppendUint64(c.body, flags)
	c.body = append(c.body, row...)
	c.row.Record = Record{Time: end.UnixNano(), Weight: 1, Body: c.body}
	c.books.Rows++
	t.lanes.Add(&c.row)
}

// remember notes that a key had events. Of more keys than the table may have
// at a time nothing is noted.
func (c *counting) remember(key []byte, now time.Time) {
	if _, known := c.quiet[string(key)]; known || len(c.quiet) < c.table.Max {
		c.quiet[string(key)] = now
	}
}

// addQuiet adds rows of zeros for the keys without events, and forgets those
// that have had none for long.
func (t *tables) addQuiet(c *counting, interval time.Duration, end time.Time) {
	var row []byte
	for key, last := range c.quiet {
		switch {
		case last.Equal(end):
		case end.Sub(last) >= c.table.Idle:
			delete(c.quiet, key)
		default:
			row = append(row[:0], key...)
			row = append(row, make([]byte, 8*c.read.words)...)
			t.add(c, row, false, interval, end)
		}
	}
}
