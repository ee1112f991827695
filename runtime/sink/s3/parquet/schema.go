// SPDX-License-Identifier: Apache-2.0

package parquet

import (
	"fmt"

	"github.com/redsift/ingraind/runtime"
)

// schema describes the rows of one event or table. As JSON it is the head of a
// batch, and what the file says of itself under the key "ingraind".
type schema struct {
	Name    string   `json:"name"` // "exec.exit"
	Help    string   `json:"help,omitempty"`
	Columns []column `json:"columns"`
}

// column is a value of each row.
type column struct {
	Name string `json:"name"` // a path: "who.pid", "sizes.0"
	Help string `json:"help,omitempty"`
	Kind kind   `json:"kind"`
	Of   kind   `json:"of,omitempty"`    // of the values of a top, the bounds of buckets
	Null bool   `json:"null,omitempty"`  // it may have none
	Same string `json:"value,omitempty"` // of a constant
	cut  bool   // the column behind it says whether the value was cut
}

// kind says how a value is kept in rows, and what column of a file it becomes.
type kind uint8

const (
	constant  kind = iota + 1 // a string that is not in rows, for all have the same
	boolean                   // a byte
	unsigned                  // a uvarint
	signed                    // a varint
	float                     // 8 bytes
	moment                    // 8 bytes: ns since 1970
	text                      // a length and bytes
	words                     // the same, with NULs between the words
	buckets                   // how many, and for each its bound, which may be null, and a count
	quantiles                 // a float for each of probabilities
	top                       // how many, and for each its value, which may be null, and two counts
)

var kinds = [...]string{
	constant: "constant", boolean: "bool", unsigned: "uint", signed: "int", float: "float", moment: "time",
	text: "string", words: "strings", buckets: "buckets", quantiles: "quantiles", top: "top",
}

// probabilities are those of agg.Probabilities, as JSON names them.
var probabilities = [...]string{"p50", "p90", "p95", "p99"}

// MarshalText gives a kind its name.
func (k kind) MarshalText() ([]byte, error) { return []byte(kinds[k]), nil }

// UnmarshalText finds a kind by its name.
func (k *kind) UnmarshalText(name []byte) error {
	for i, known := range kinds {
		if known != "" && known == string(name) {
			*k = kind(i)
			return nil
		}
	}
	return fmt.Errorf("there is no kind %q", name)
}

// schemaOf is worked out at the first row of an event. What JSON leaves out of a
// row has a column here: false, or a weight of 1.
func schemaOf(row *runtime.Row) *schema {
	event, grain := row.Event, ""
	if row.Grain != nil {
		grain = row.Grain.Name
	}
	s := &schema{Name: grain + "." + event.Name, Help: event.Help, Columns: []column{
		{Name: "time", Kind: moment, Help: "When it happened."},
		{Name: "grain", Kind: constant, Same: grain},
	}}
	last := column{Name: "weight", Kind: unsigned, Help: "How many events the row stands for."}
	if event.Table == nil {
		s.Columns = append(s.Columns, column{Name: "event", Kind: constant, Same: event.Name})
	} else {
		s.Columns[0].Help = "When the interval ended."
		s.Columns = append(s.Columns, column{Name: "table", Kind: constant, Same: event.Name},
			column{Name: "interval", Kind: unsigned, Help: "For how long the row's events were counted, ns."})
		last = column{Name: "overflow", Kind: boolean, Help: "The row is that of all keys beyond the bound."}
	}
	for i := range event.Fields {
		c := columnOf(&event.Fields[i], event.Table != nil)
		s.Columns = append(s.Columns, c)
		if c.cut {
			s.Columns = append(s.Columns, column{Name: c.Name + "_cut", Kind: boolean, Help: "The end is missing."})
		}
	}
	s.Columns = append(s.Columns, last)
	return s
}

// columnOf is the column of a field, of a row of a table or of a stream.
func columnOf(f *runtime.Field, table bool) column {
	c := column{Name: f.Name, Help: f.Help, Kind: kindOf(f.Type), Null: table}
	switch f.Type {
	case runtime.TypeText, runtime.TypeWords:
		c.Null, c.cut = true, !table
	case runtime.TypeErrno, runtime.TypeSignal, runtime.TypeMoment, runtime.TypeFloat:
		c.Null = true
	}
	if f.Cell == nil {
		return c
	}
	switch f.Cell.Kind.String() {
	case "count", "distinct":
		c.Kind, c.Null = unsigned, false
	case "sum":
		c.Null = false
	case "mean":
		c.Kind = float
	case "exp2", "linear", "buckets":
		c.Kind, c.Null, c.Of = buckets, false, unsigned
		if f.Cell.Signed {
			c.Of = signed
		}
	case "quantiles":
		c.Kind = quantiles
	case "top":
		c.Kind, c.Null, c.Of = top, false, c.Kind
	}
	return c
}

// kindOf is how values of a type are kept: numbers as numbers, all that JSON has
// as a string as text.
func kindOf(t runtime.Type) kind {
	switch t {
	case runtime.TypeUint, runtime.TypePort, runtime.TypeBytes, runtime.TypeDuration, runtime.TypeCgroup,
		runtime.TypeInterface, runtime.TypeUser, runtime.TypeGroup:
		return unsigned
	case runtime.TypeInt, runtime.TypePID:
		return signed
	case runtime.TypeBool:
		return boolean
	case runtime.TypeFloat:
		return float
	case runtime.TypeMoment:
		return moment
	case runtime.TypeWords:
		return words
	}
	return text
}
