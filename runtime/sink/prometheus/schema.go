// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"

	"github.com/redsift/ingraind/runtime"
)

// form is what a cell becomes.
type form uint8

const (
	counter   form = iota + 1
	total          // a sum that may fall: a gauge that adds up
	gauge          // the newest value
	histogram      // counts in buckets, which add up
	summary        // the newest quantiles, and how many events there were in all
)

// schema describes the rows of one event or table. It stands in front of each
// row, as JSON, so that bytes say what they are to any process.
type schema struct {
	Labels  []string `json:"l,omitempty"`
	Metrics []metric `json:"m"`
}

// metric is a family that rows have one series of.
type metric struct {
	Name   string    `json:"n"`
	Help   string    `json:"h,omitempty"`
	Unit   string    `json:"u,omitempty"` // seconds, bytes
	Form   form      `json:"f"`
	Scale  float64   `json:"s"`           // what numbers are divided by
	Bounds []float64 `json:"b,omitempty"` // of a histogram, scaled; that of its last bucket, +Inf, is left out
	Native bool      `json:"x,omitempty"` // its buckets are those of a native histogram of schema 0
	Sum    adding    `json:"t,omitempty"` // of a histogram or summary: whether rows have the sum
	field  int
}

// adding is whether the sum of what is distributed is known, and its kind.
type adding uint8

const (
	unknown  adding = iota
	unsigned        // a u64
	signed          // an i64
)

// series is how many a scraper has of one of them.
func (m *metric) series() int {
	switch m.Form {
	case histogram:
		return len(m.Bounds) + 3
	case summary:
		return len(probabilities) + 2
	}
	return 1
}

const nanoseconds = 1e9

// probabilities are those of agg.Probabilities.
var probabilities = [...]float64{0.5, 0.9, 0.95, 0.99}

// schemaOf is worked out at the first row of an event.
func schemaOf(prefix string, row *runtime.Row) *schema {
	event := row.Event
	name := event.Name
	if row.Grain != nil {
		name = row.Grain.Name + "_" + name
	}
	if event.Table == nil {
		return &schema{Metrics: []metric{{Name: suffixed(clean(prefix+"_"+name), "_total"), Help: event.Help, Form: counter, Scale: 1}}}
	}
	if event.Table.Measurement != "" {
		name = event.Table.Measurement
	}
	s := &schema{}
	taken := map[string]bool{"le": true, "quantile": true, "overflow": true}
	for i := range event.Fields {
		f := &event.Fields[i]
		switch {
		case i < len(event.Table.Key):
			label := clean(f.Name)
			for taken[label] || strings.HasPrefix(label, "__") {
				label = "key_" + label
			}
			taken[label] = true
			s.Labels = append(s.Labels, label)
		case f.Cell != nil:
			if m, ok := metricOf(f); ok {
				m.Name = suffixed(clean(prefix+"_"+name+"_"+f.Name), m.Name)
				m.Help, m.field = strings.TrimSpace(event.Table.Help+" "+f.Help), i
				s.Metrics = append(s.Metrics, m)
			}
		}
	}
	return s
}

// metricOf is the metric of a cell; its Name is but what names end with.
func metricOf(f *runtime.Field) (metric, bool) {
	m := metric{Scale: 1}
	switch f.Type {
	case runtime.TypeDuration, runtime.TypeMoment:
		m.Unit, m.Scale, m.Name = "seconds", nanoseconds, "_seconds"
	case runtime.TypeBytes:
		m.Unit, m.Name = "bytes", "_bytes"
	}
	switch kind := f.Cell.Kind.String(); kind {
	case "count":
		return metric{Form: counter, Scale: 1, Name: "_total"}, true
	case "distinct":
		return metric{Form: gauge, Scale: 1}, true
	case "sum":
		if m.Form = total; !f.Cell.Signed {
			m.Form, m.Name = counter, m.Name+"_total"
		}
	case "mean", "min", "max", "last":
		m.Form = gauge
	case "exp2", "linear", "buckets":
		m.Form = histogram
		// Powers of two of nanoseconds are none of seconds.
		m.Native = kind == "exp2" && !f.Cell.Signed && m.Scale == 1
		h := f.Cell.Histogram(make([]uint64, f.Cell.Words()))
		last := math.Inf(-1)
		for i := range h.Len() - 1 {
			le := h.Bucket(i).Greatest.Float() / m.Scale
			if le <= last { // beyond 2^53 neighbours may be one number
				return m, false
			}
			m.Bounds, last = append(m.Bounds, le), le
		}
	case "quantiles":
		m.Form = summary
	default:
		return m, false
	}
	if f.Sum > 0 {
		m.Sum = unsigned
		if f.Cell.Signed {
			m.Sum = signed
		}
	}
	return m, true
}

// suffixed is name with a suffix, which is there once.
func suffixed(name, suffix string) string {
	base, counts := strings.CutSuffix(suffix, "_total")
	if counts {
		name = strings.TrimSuffix(name, "_total")
	}
	if name = strings.TrimSuffix(name, base) + base; counts {
		name += "_total"
	}
	return name
}

// clean is a name of letters, digits and _.
func clean(name string) string {
	b := []byte(name)
	for i, c := range b {
		if c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			b[i] = '_'
		}
	}
	if len(b) > 0 && b[0] >= '0' && b[0] <= '9' {
		return "_" + string(b)
	}
	return string(b)
}

var isName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

// parseSchema reads one that may be damaged.
func parseSchema(text []byte) (*schema, error) {
	s := &schema{}
	if err := json.Unmarshal(text, s); err != nil {
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	seen := map[string]bool{"le": true, "quantile": true, "overflow": true}
	for _, l := range s.Labels {
		if seen[l] || !isName.MatchString(l) || strings.HasPrefix(l, "__") {
			return nil, errDamaged
		}
		seen[l] = true
	}
	clear(seen)
	for i := range s.Metrics {
		m := &s.Metrics[i]
		if seen[m.Name] || !isName.MatchString(m.Name) || m.Form < counter || m.Form > summary || m.Scale != 1 && m.Scale != nanoseconds ||
			m.Unit != "" && m.Unit != "seconds" && m.Unit != "bytes" || m.Native && len(m.Bounds) > 64 || m.Sum > signed {
			return nil, errDamaged
		}
		seen[m.Name] = true
		for k := 1; k < len(m.Bounds); k++ {
			if m.Bounds[k] <= m.Bounds[k-1] {
				return nil, errDamaged
			}
		}
	}
	return s, nil
}

var errDamaged = errors.New("the batch is damaged, and nothing of it was counted")
