// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"time"
)

// idle measures the CPU time of an agent while nothing that it watches happens:
// the stock agent with the grain conn, for a machine always starts programs.
func idle(b *bench) ([]row, error) {
	program, err := b.build("generated/ingraind")
	if err != nil {
		return nil, err
	}
	length := b.length(time.Minute)
	a, err := b.begin(contender{name: "ingraind", program: program, args: []string{"-grains", "conn", "-o", "json", "-v"}})
	if err != nil {
		return nil, err
	}
	time.Sleep(time.Second) // what starting leaves behind
	cpu, err := a.during(func() error {
		time.Sleep(length)
		return nil
	})
	if err := errors.Join(err, a.end()); err != nil {
		return nil, err
	}
	rows, _, err := a.rows("")
	r := bounded(fmt.Sprintf("idle for %v", length), "% of a CPU", float64(cpu)/float64(length)*100, 0.1)
	r.Note = fmt.Sprintf("%.2f ms of CPU time; %d rows came", float64(cpu)/1e6, rows)
	return []row{r}, err
}
