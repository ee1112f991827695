// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"time"
)

// contenders are agents that say which files are opened: all but bpftrace in
// equal rows.
type contenders struct {
	ours   contender
	naive  contender
	slower contender // ours, in less of a hurry
	buffer contender // naive, but for writing each row by itself
	orphan contender // naive, but for the parent's pid: it need not know the kernel's types
}

func (b *bench) contenders() (contenders, error) {
	ours, err := b.build("examples/grains/generated/watchopen")
	if err != nil {
		return contenders{}, err
	}
	naive, err := b.build("bench/naive")
	return contenders{
		ours:   contender{name: "watchopen", program: ours, args: []string{"-o", "json", "-v"}, books: true},
		naive:  contender{name: "naive", program: naive},
		slower: contender{name: "watchopen -latency 10ms", program: ours, args: []string{"-o", "json", "-v", "-latency", "10ms"}, books: true},
		buffer: contender{name: "naive -buffer", program: naive, args: []string{"-buffer"}},
		orphan: contender{name: "naive -orphan", program: naive, args: []string{"-orphan"}},
	}, err
}

// openByBpftrace is what one would type: less than the others say.
const openByBpftrace = `tracepoint:syscalls:sys_enter_openat { printf("%s %d %s\n", comm, pid, str(args.filename)); }`

// openat measures agents while a program opens files 100,000 times a second, and
// as often as it can, and counts their rows. An agent that loses rows has less to
// do, so the cost is that of a row.
func openat(b *bench) ([]row, error) {
	steady, errSteady := b.openatAt("100k/s", 100_000, b.length(3*time.Second), b.rounds(4))
	full, errFull := b.openatAt("at full rate", 0, b.length(2*time.Second), b.rounds(4))
	return append(steady, full...), errors.Join(errSteady, errFull)
}

func (b *bench) openatAt(what string, rate int, length time.Duration, rounds int) ([]row, error) {
	c, err := b.contenders()
	if err != nil {
		return nil, err
	}
	all := []contender{c.ours, c.slower, c.naive, c.buffer}
	bpftrace, none := b.bpftrace()
	if none == nil {
		all = append(all, bpftrace.contender("bpftrace", "-e", openByBpftrace+said))
	}
	results := make([]watched, len(all))
	for range rounds {
		for i, c := range all {
			if err := b.watchLoad(c, rate, length, &results[i]); err != nil {
				return nil, err
			}
		}
	}
	compare := func(figure string, i, peer int, target float64) row {
		ours := &results[i]
		figure = "openat " + what + figure
		if peer >= len(results) {
			r := without(compared(figure, "ns/row", median(ours.ns), 0, target), none)
			r.Note = ours.String() + "; " + r.Note
			return r
		}
		theirs := &results[peer]
		r := compared(figure, "ns/row", median(ours.ns), median(theirs.ns), target)
		r.Note = fmt.Sprintf("%v; peer %v", ours, theirs)
		return r
	}
	rows := []row{
		compare(", against naive", 0, 2, 1.0/6),
		compare(", against bpftrace", 0, 4, 1.0/6),
		compare(", -latency 10ms, against naive", 1, 2, 1.0/10),
		compare(", -latency 10ms, against bpftrace", 1, 4, 1.0/10),
		compare(", against naive -buffer", 0, 3, 0),
	}
	for i, suffix := range []string{"", ", -latency 10ms"} {
		r := bounded("openat "+what+suffix+", opens without a row", "%", results[i].withoutRow(), 0.001)
		if none == nil {
			r.Note = fmt.Sprintf("bpftrace %.3g %%", results[4].withoutRow())
		}
		r.Note = join(r.Note, fmt.Sprintf("naive %.3g %%", results[2].withoutRow()), fmt.Sprintf("ours counted as lost: %d", results[i].lost))
		// A machine that is busy with others may lose some: then they are counted.
		r.Limit = 50
		rows = append(rows, r)
	}
	return rows, nil
}

// watched is what an agent did while it watched loads.
type watched struct {
	ns      []float64 // CPU time of a row, of each load
	percent []float64 // CPU time of the time that the load took
	opens   int       // of all loads
	missing int       // of those, what was not printed
	lost    int       // what an agent of ours says that it lost, of all that it saw
}

func (w *watched) String() string {
	return fmt.Sprintf("%.1f %% of a CPU, %d of %d rows missing", median(w.percent), w.missing, w.opens)
}

func (w *watched) withoutRow() float64 { return 100 * float64(w.missing) / float64(max(w.opens, 1)) }

// watchLoad lets an agent watch a load. Neither is bound to a CPU: bound to one,
// a Go program schedules itself for one, which is another program.
func (b *bench) watchLoad(c contender, rate int, length time.Duration, w *watched) error {
	cmd, path, err := b.load(rate, length)
	if err != nil {
		return err
	}
	a, err := b.begin(c)
	if err != nil {
		return err
	}
	var did opens
	cpu, err := a.during(func() (err error) {
		did, err = opened(cmd)
		time.Sleep(200 * time.Millisecond) // more than any of them keeps rows
		return err
	})
	if err := errors.Join(err, a.end()); err != nil {
		return err
	}
	rows, got, err := a.rows(path)
	if err != nil || rows == 0 {
		return fmt.Errorf("%s printed %d rows: %w", c.name, rows, err)
	}
	w.ns = append(w.ns, float64(cpu)/float64(rows))
	w.percent = append(w.percent, float64(cpu)/1e7/did.Seconds)
	w.opens += did.Opens
	w.missing += did.Opens - got
	if !c.books {
		return nil
	}
	lost, err := a.accounts(did.Opens, rows, got)
	w.lost += lost
	return err
}

// accounts holds the ledger of an agent of ours to a load's own count: what
// the kernel saw is what was printed and what was counted as lost, and no open
// of the load is in neither. It returns what was lost.
func (a *agent) accounts(opens, rows, ofLoad int) (int, error) {
	terms := map[string]int{}
	for _, term := range []struct{ section, column string }{{"events", "seen"}, {"events", "lost"}, {"events", "errors"}, {"sinks", "dropped"}} {
		n, err := a.ledger(term.section, term.column)
		if err != nil {
			return 0, err
		}
		terms[term.column] = n
	}
	lost := terms["lost"] + terms["errors"] + terms["dropped"]
	if terms["seen"] != rows+lost {
		return lost, fmt.Errorf("%s saw %d events, but printed %d rows and counted %d as lost", a.name, terms["seen"], rows, lost)
	}
	if missing := opens - ofLoad; missing < 0 || missing > lost {
		return lost, fmt.Errorf("%s printed %d rows of %d opens, and counted %d as lost", a.name, ofLoad, opens, lost)
	}
	return lost, nil
}
