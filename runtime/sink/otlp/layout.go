// SPDX-License-Identifier: Apache-2.0

package otlp

import "github.com/redsift/ingraind/runtime"

// layout is what rows of one event become, worked out at its first row.
type layout struct {
	event      []byte      // of a stream: the field event_name
	attributes []attribute // for each of its fields; of a table, its key's
	metrics    []metric
}

// attribute is how a field is called.
type attribute struct {
	key  []byte // the field key of a KeyValue
	text bool   // the value is a string, though it is a number here
}

// metric is a cell.
type metric struct {
	field int    // its index
	head  []byte // name, description and unit
	form  form
}

// form is what a cell is sent as.
type form uint8

const (
	unsent form = iota
	sum
	gauge
	exponential
	explicit
	summary
)

// formOf is by the cell's kind as the YAML names it.
func formOf(kind string) form {
	switch kind {
	case "count", "sum":
		return sum
	case "mean", "min", "max", "last", "distinct":
		return gauge
	case "exp2":
		return exponential
	case "linear", "buckets":
		return explicit
	case "quantiles":
		return summary
	}
	return unsent
}

// convention is a name of OpenTelemetry's semantic conventions.
type convention struct {
	field string
	typ   runtime.Type
	name  string
	text  bool // a string there
}

// conventions are those that fit, by a field's name and type: a table's columns
// are called after the fields that they are of. docs/sinks/otlp.md lists them.
func conventions() []convention {
	return []convention{
		{"who.pid", runtime.TypePID, "process.pid", false},
		{"pid", runtime.TypePID, "process.pid", false},
		{"who.ppid", runtime.TypePID, "process.parent_pid", false},
		{"ppid", runtime.TypePID, "process.parent_pid", false},
		{"who.tid", runtime.TypePID, "thread.id", false},
		{"tid", runtime.TypePID, "thread.id", false},
		{"who.comm", runtime.TypeString, "process.executable.name", false},
		{"comm", runtime.TypeString, "process.executable.name", false},
		{"who.uid", runtime.TypeUser, "user.id", true},
		{"uid", runtime.TypeUser, "user.id", true},
		{"exe", runtime.TypeText, "process.executable.path", false},
		{"args", runtime.TypeWords, "process.command_args", false},
		{"local", runtime.TypeIP, "network.local.address", false},
		{"local_port", runtime.TypePort, "network.local.port", false},
		{"peer", runtime.TypeIP, "network.peer.address", false},
		{"peer_port", runtime.TypePort, "network.peer.port", false},
		{"error", runtime.TypeErrno, "error.type", false},
	}
}

func attributeOf(grain string, f *runtime.Field) attribute {
	for _, c := range conventions() {
		if c.field == f.Name && c.typ == f.Type {
			return attribute{appendBytes(nil, key, c.name), c.text}
		}
	}
	return attribute{appendBytes(nil, key, grain+"."+f.Name), false}
}

func layoutOf(row *runtime.Row) *layout {
	event := row.Event
	grain, name := "ingraind", event.Name
	if row.Grain != nil {
		grain, name = "ingraind."+row.Grain.Name, row.Grain.Name+"."+name
	}
	l := &layout{}
	if event.Table == nil {
		l.event = appendBytes(nil, logEvent, name)
		for i := range event.Fields {
			l.attributes = append(l.attributes, attributeOf(grain, &event.Fields[i]))
		}
		return l
	}
	if event.Table.Measurement != "" {
		name = event.Table.Measurement
	}
	for i := range event.Fields {
		f := &event.Fields[i]
		switch {
		case i < len(event.Table.Key):
			l.attributes = append(l.attributes, attributeOf(grain, f))
		case f.Cell != nil && formOf(f.Cell.Kind.String()) != unsent:
			head := appendBytes(nil, metricName, "ingraind."+name+"."+f.Name)
			head = appendBytes(head, metricHelp, f.Help)
			if unit := unitOf(f); unit != "" {
				head = appendBytes(head, metricUnit, unit)
			}
			l.metrics = append(l.metrics, metric{i, head, formOf(f.Cell.Kind.String())})
		}
	}
	return l
}

// unitOf is a unit of UCUM.
func unitOf(f *runtime.Field) string {
	switch kind := f.Cell.Kind.String(); {
	case kind == "count":
		return "{event}"
	case kind == "distinct":
		return "{value}"
	case f.Type == runtime.TypeBytes:
		return "By"
	case f.Type == runtime.TypeDuration:
		return "ns"
	}
	return ""
}
