// SPDX-License-Identifier: Apache-2.0

package parquet

import (
	"encoding/binary"
	"math"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"

	"github.com/redsift/ingraind/runtime"
)

// reader reads rows that may be damaged, into the columns of a file.
type reader struct {
	rest    []byte
	bad     bool
	columns [][]parquet.Value
}

func (r *reader) take(n uint64) []byte {
	if r.bad || n > uint64(len(r.rest)) {
		r.bad = true
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) uvarint() uint64 {
	x, n := binary.Uvarint(r.rest)
	if r.bad || n <= 0 {
		r.bad = true
		return 0
	}
	r.rest = r.rest[n:]
	return x
}

func (r *reader) varint() int64 {
	x, n := binary.Varint(r.rest)
	if r.bad || n <= 0 {
		r.bad = true
		return 0
	}
	r.rest = r.rest[n:]
	return x
}

func (r *reader) bytes() []byte { return r.take(r.uvarint()) }

func (r *reader) u64() uint64 {
	if b := r.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

func (r *reader) flag() bool {
	b := r.take(1)
	if b == nil || b[0] > 1 {
		r.bad = true
		return false
	}
	return b[0] == 1
}

// row reads a row.
func (r *reader) row(p *plan) {
	for i := range p.places {
		r.place(&p.places[i])
	}
}

// add adds a value to a column of the file.
func (r *reader) add(leaf int, v parquet.Value, rep, def int) {
	r.columns[leaf] = append(r.columns[leaf], v.Level(rep, def, leaf))
}

// none adds a null to each column of a place, with the level of what is missing.
func (r *reader) none(p *place, def int) {
	for i := range p.leaves() {
		r.add(p.leaf+i, parquet.NullValue(), p.rep, def)
	}
}

// place reads a value to where it goes.
func (r *reader) place(p *place) {
	def := p.def
	if p.Null {
		if !r.flag() {
			r.none(p, def)
			return
		}
		def++
	}
	switch p.Kind {
	case constant:
		r.add(p.leaf, parquet.ByteArrayValue(p.same), p.rep, def)
	case words:
		r.words(p, def)
	case buckets, top:
		r.items(p, def)
	case quantiles:
		for i := range probabilities {
			x := math.Float64frombits(r.u64())
			if math.IsNaN(x) || math.IsInf(x, 0) { // null in JSON
				r.add(p.leaf+i, parquet.NullValue(), p.rep, def)
				continue
			}
			r.add(p.leaf+i, parquet.DoubleValue(x), p.rep, def+1)
		}
	default:
		r.add(p.leaf, r.value(p.Kind), p.rep, def)
	}
}

// value reads what fills one column.
func (r *reader) value(k kind) parquet.Value {
	switch k {
	case boolean:
		return parquet.BooleanValue(r.flag())
	case unsigned:
		return parquet.Int64Value(int64(r.uvarint())) // its bits: the column says that it has no sign
	case signed:
		return parquet.Int64Value(r.varint())
	case float:
		return parquet.DoubleValue(math.Float64frombits(r.u64()))
	case moment:
		return parquet.Int64Value(int64(r.u64()))
	}
	return parquet.ByteArrayValue(valid(r.bytes()))
}

// words reads an array of strings.
func (r *reader) words(p *place, def int) {
	b := r.bytes()
	if len(b) == 0 {
		r.none(p, def)
		return
	}
	for rep := p.rep; len(b) > 0; rep = p.depth + 1 {
		var word []byte
		word, b = runtime.NextWord(b)
		r.add(p.leaf, parquet.ByteArrayValue(valid(word)), rep, def+1)
	}
}

// items reads an array of values that may be null, each with counts.
func (r *reader) items(p *place, def int) {
	count := r.uvarint()
	if count == 0 {
		r.none(p, def)
		return
	}
	rep := p.rep
	for range count {
		if r.bad {
			return
		}
		if r.flag() {
			r.add(p.leaf, r.value(p.Of), rep, def+2)
		} else {
			r.add(p.leaf, parquet.NullValue(), rep, def+1)
		}
		for i := 1; i < p.leaves(); i++ {
			r.add(p.leaf+i, parquet.Int64Value(int64(r.uvarint())), rep, def+1)
		}
		rep = p.depth + 1
	}
}

// valid is b as UTF-8, which strings of a file are: each byte that is not
// becomes U+FFFD, as in JSON.
func valid(b []byte) []byte {
	if utf8.Valid(b) {
		return b
	}
	clean := make([]byte, 0, len(b)+16)
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		clean = utf8.AppendRune(clean, r)
		b = b[n:]
	}
	return clean
}
