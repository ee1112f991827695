// SPDX-License-Identifier: Apache-2.0

package statsd

import (
	"github.com/redsift/ingraind/runtime"
)

// layout is what rows of one event become, worked out at its first row.
type layout struct {
	table   bool
	name    string // "ingraind.metrics.conn.peers"
	columns []column
	cells   []cell
}

// column is a column of a table's key.
type column struct {
	field int    // its index
	label string // "role:" of a tag; "" where columns are parts of names
}

// cell is what a table counts.
type cell struct {
	field int    // its index
	name  string // ".sent"
	form  form
}

// form is what a cell is sent as.
type form uint8

const (
	unsent    form = iota
	counter        // it may be added up over time, and over machines
	gauge          // it may not
	histogram      // a counter for each bucket
	quantiles      // a gauge for each quantile
)

// formOf is by the cell's kind as the YAML names it.
func formOf(kind string) form {
	switch kind {
	case "count", "sum":
		return counter
	case "mean", "min", "max", "last", "distinct":
		return gauge
	case "exp2", "linear", "buckets":
		return histogram
	case "quantiles":
		return quantiles
	}
	return unsent
}

// quantileNames are those of agg.Probabilities.
var quantileNames = [...]string{".p50", ".p90", ".p95", ".p99"}

func (e *encoding) layoutOf(row *runtime.Row) *layout {
	event := row.Event
	l := &layout{table: event.Table != nil}
	name := event.Name
	if row.Grain != nil {
		name = row.Grain.Name + "." + name
	}
	if l.table && event.Table.Measurement != "" {
		name = event.Table.Measurement
	}
	if e.prefix != "" {
		name = e.prefix + "." + name
	}
	l.name = sanitized(name)
	if !l.table {
		return l
	}
	for i := range event.Fields {
		f := &event.Fields[i]
		switch {
		case i < len(event.Table.Key) && e.tags:
			l.columns = append(l.columns, column{i, sanitized(f.Name) + ":"})
		case i < len(event.Table.Key):
			l.columns = append(l.columns, column{i, ""})
		case f.Cell != nil:
			if form := formOf(f.Cell.Kind.String()); form != unsent {
				l.cells = append(l.cells, cell{i, "." + sanitized(f.Name), form})
			}
		}
	}
	return l
}

// sanitized is a name of one or several parts.
func sanitized(name string) string {
	b := []byte(name)
	for i, c := range b {
		if c != '.' && !inName[c] {
			b[i] = '_'
		}
	}
	return string(b)
}
