// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"time"
)

// memory measures what an agent with 1 MiB of rings keeps in memory after a
// minute of 10,000 events a second. The kernel counts a ring twice, for it is
// mapped twice.
func memory(b *bench) ([]row, error) {
	c, err := b.contenders()
	if err != nil {
		return nil, err
	}
	c.ours.args = append(c.ours.args, "-rings", "1MiB")
	length := b.length(time.Minute)
	a, err := b.begin(c.ours)
	if err != nil {
		return nil, err
	}
	cmd, _, err := b.load(10_000, length)
	if err != nil {
		a.end()
		return nil, err
	}
	_, err = opened(cmd)
	resident, own := a.status("VmRSS"), a.status("RssAnon")
	if err := errors.Join(err, a.end()); err != nil {
		return nil, err
	}
	r := bounded(fmt.Sprintf("resident after %v of 10k events/s, 1 MiB of rings", length), "MB", resident*1024/1e6, 12)
	r.Limit *= 2 // what of the binary is in memory is the kernel's choice
	r.Note = fmt.Sprintf("%.1f of it not mapped from the binary or the kernel", own*1024/1e6)
	return []row{r}, nil
}
