// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// row is a figure. Less is better.
type row struct {
	Measure string  `json:"measure"`
	Figure  string  `json:"figure"`
	Unit    string  `json:"unit"` // of Ours and Peer
	Ours    float64 `json:"ours"`
	Absent  bool    `json:"absent,omitempty"` // there is no figure of ours, only the peer's
	Peer    float64 `json:"peer,omitempty"`   // 0: there is none, and Target bounds Ours
	Target  float64 `json:"target,omitempty"`
	// Limit is what tests assert: a machine that does other things as well
	// should not fail them.
	Limit float64 `json:"limit,omitempty"`
	Note  string  `json:"note,omitempty"`
}

// compared is a row that is to be at most target times its peer.
func compared(figure, unit string, ours, peer, target float64) row {
	return row{Figure: figure, Unit: unit, Ours: ours, Peer: peer, Target: target, Limit: 2 * target}
}

// without is a row whose peer is not to be had, for the reason that is given.
func without(r row, why error) row {
	r.Peer, r.Target, r.Limit = 0, 0, 0
	r.Note = join(r.Note, "peer not available: "+firstLine(why))
	return r
}

// join makes one note of several.
func join(notes ...string) string {
	return strings.Join(slices.DeleteFunc(notes, func(n string) bool { return n == "" }), "; ")
}

// firstLine is what a table has room for.
func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// value is what Target and Limit bound.
func (r row) value() float64 {
	if r.Peer == 0 {
		return r.Ours
	}
	return r.Ours / r.Peer
}

func (r row) verdict() string {
	switch {
	case r.Target == 0:
		return "-"
	case r.value() <= r.Target:
		return "met"
	case r.value() <= 2*r.Target:
		return "MISSED"
	}
	return "BEYOND"
}

// table is what a run of bench found.
type table struct {
	Host    host     `json:"host"`
	Peers   []string `json:"peers,omitempty"`    // that were fetched, with their versions
	NoPeers []string `json:"no_peers,omitempty"` // that could not be had, and why
	Rows    []row    `json:"rows"`
}

// beyond is an error for each row beyond its limit.
func (t table) beyond() []error {
	var errs []error
	for _, r := range t.Rows {
		if r.Limit > 0 && r.value() > r.Limit {
			errs = append(errs, fmt.Errorf("%s: got %.4g %s, and %.4g of its peer; want at most %.4g", r.Figure, r.Ours, r.Unit, r.value(), r.Limit))
		}
	}
	return errs
}

func (t table) print(w io.Writer, format string) error {
	if format == "json" {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		return encoder.Encode(t)
	}
	if t.Host != (host{}) {
		fmt.Fprintf(w, "%s\n\n", t.Host)
	}
	columns := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(columns, "FIGURE\tOURS\tPEER\tUNIT\tRATIO\tTARGET\tVERDICT\tNOTE")
	for _, r := range t.Rows {
		fmt.Fprintln(columns, strings.Join(r.cells(), "\t"))
	}
	return columns.Flush()
}

// cells are what tables show of a row.
func (r row) cells() []string {
	ours, peer, ratio, target := number(r.Ours), "-", "-", "-"
	if r.Peer != 0 {
		peer, ratio = number(r.Peer), asRatio(r.value())
	}
	if r.Absent {
		ours, ratio = "-", "-"
	}
	if r.Target != 0 && r.Peer != 0 {
		target = asRatio(r.Target)
	} else if r.Target != 0 {
		target = number(r.Target)
	}
	return []string{r.Figure, ours, peer, r.Unit, ratio, target, r.verdict(), r.Note}
}

func number(v float64) string {
	if v >= 100 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3g", v)
}

// asRatio is 1.2, or 1/5 for 0.2.
func asRatio(v float64) string {
	if v > 0 && v < 0.8 {
		return fmt.Sprintf("1/%.3g", 1/v)
	}
	return fmt.Sprintf("%.3g", v)
}

// bounded is a row without a peer, of what does not depend on what else the
// machine does.
func bounded(figure, unit string, ours, target float64) row {
	return row{Figure: figure, Unit: unit, Ours: ours, Target: target, Limit: target}
}
