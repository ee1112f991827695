// SPDX-License-Identifier: Apache-2.0

// Command bench measures what the agent costs beside other ways to do the same,
// in one run, and prints a ratio for each. What is compared takes turns, so that
// what else the machine does meets both; the median of the turns counts. Cost is
// CPU time, not time that passes, but where a row says so.
//
//	go run ./bench                   everything, in some five minutes
//	go run ./bench -short            shorter, less exact
//	go run ./bench -run 'drain|json' some of it
//	go run ./bench -peers            also against bpftrace, which it fetches
//	go run ./bench -peers -write docs/performance.md
//
// It needs root, gcc, libbpf's headers (libbpf-dev), and clang for one row.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	pattern := flag.String("run", "", "measure only what matches this `REGEXP`: "+names())
	short := flag.Bool("short", false, "a sixth of the turns, and of the time")
	format := flag.String("o", "text", "`FORMAT` of the table: text or json")
	assert := flag.Bool("assert", false, "fail when a figure is beyond its limit, which leaves half of the target's margin")
	peers := flag.Bool("peers", false, "fetch peers that this machine does not have, from Debian's mirror, into .cache")
	write := flag.String("write", "", "write the table to `FILE` as well, as a page of the documents: "+reportFile)
	flag.Parse()

	wanted, err := regexp.Compile(*pattern)
	if err != nil {
		return fmt.Errorf("-run: %w", err)
	}
	if *format != "text" && *format != "json" {
		return errors.New("-o: want text or json")
	}
	part := 1
	if *short {
		part = 6
	}
	b, err := newBench(part)
	if err != nil {
		return err
	}
	defer b.close()
	b.peers = *peers
	t := table{Host: describeHost()}
	var errs []error
	for _, m := range measures() {
		if !wanted.MatchString(m.name) {
			continue
		}
		fmt.Fprintf(os.Stderr, "measuring %s\n", m.name)
		rows, err := m.do(b)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", m.name, err))
		}
		for _, r := range rows {
			r.Measure = m.name
			t.Rows = append(t.Rows, r)
		}
	}
	if p, err := b.bpftrace(); err != nil {
		t.NoPeers = append(t.NoPeers, "bpftrace: "+firstLine(err))
		fmt.Fprintln(os.Stderr, err)
	} else {
		t.Peers = append(t.Peers, p.version+" of Debian "+peerSuite)
	}
	if err := t.print(os.Stdout, *format); err != nil {
		return err
	}
	if *write != "" {
		if err := b.writeReport(*write, t); err != nil {
			return err
		}
	}
	if *assert {
		errs = append(errs, t.beyond()...)
	}
	return errors.Join(errs...)
}

// measure is something to measure; it makes some rows.
type measure struct {
	name string
	do   func(*bench) ([]row, error)
}

func measures() []measure {
	return []measure{
		{"emit", emitting},
		{"cpus", cpus},
		{"explain", explained},
		{"drain", drain},
		{"saturated", saturated},
		{"decode", decode},
		{"json", encode},
		{"group", group},
		{"tables", tables},
		{"openat", openat},
		{"count", count},
		{"awake", awake},
		{"latency", latency},
		{"start", start},
		{"memory", memory},
		{"idle", idle},
		{"generate", generate},
	}
}

func names() string {
	var all []string
	for _, m := range measures() {
		all = append(all, m.name)
	}
	return strings.Join(all, ", ")
}
