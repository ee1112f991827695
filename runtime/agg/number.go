// SPDX-License-Identifier: Apache-2.0

package agg

import (
	"math"
	"strconv"
)

// Form says what a Number is.
type Form uint8

// The forms. Null is the zero value: what there is of nothing.
const (
	Null Form = iota
	Unsigned
	Signed
	Float
)

// Number is what a cell says, or a bound of a bucket.
type Number struct {
	Form Form
	bits uint64
}

// integer is the number whose bits are x.
func integer(x uint64, signed bool) Number {
	if signed {
		return Number{Signed, x}
	}
	return Number{Unsigned, x}
}

// FloatNumber is x.
func FloatNumber(x float64) Number { return Number{Float, math.Float64bits(x)} }

// Bits are those of the uint64, the int64 or the float64 that it is.
func (n Number) Bits() uint64 { return n.bits }

// Float is the number as a float64; of Null it is 0.
func (n Number) Float() float64 {
	switch n.Form {
	case Unsigned:
		return float64(n.bits)
	case Signed:
		return float64(int64(n.bits))
	case Float:
		return math.Float64frombits(n.bits)
	}
	return 0
}

// Append appends the number as JSON has it: digits, or null. A float that is
// no number is null as well, since JSON has no word for it.
func (n Number) Append(dst []byte) []byte {
	switch n.Form {
	case Unsigned:
		return strconv.AppendUint(dst, n.bits, 10)
	case Signed:
		return strconv.AppendInt(dst, int64(n.bits), 10)
	case Float:
		x := math.Float64frombits(n.bits)
		if math.IsNaN(x) || math.IsInf(x, 0) {
			break
		}
		return appendFloat(dst, x)
	}
	return append(dst, "null"...)
}

// appendFloat writes the shortest form that reads back as x, with an exponent
// only where encoding/json has one.
func appendFloat(dst []byte, x float64) []byte {
	if size := math.Abs(x); size != 0 && (size < 1e-6 || size >= 1e21) {
		return strconv.AppendFloat(dst, x, 'e', -1, 64)
	}
	return strconv.AppendFloat(dst, x, 'f', -1, 64)
}

// Value is what a cell of one number says: count, sum, mean, min, max, last,
// distinct. Words are the cell's own, events is word 0 of its row. Mean, min,
// max and last of no events are Null.
func (c *Cell) Value(words []uint64, events uint64) Number {
	switch c.Kind {
	case Count:
		return Number{Unsigned, events}
	case Sum:
		return integer(words[0], c.Signed)
	case Distinct:
		return Number{Unsigned, words[0]}
	}
	if events == 0 {
		return Number{}
	}
	switch c.Kind {
	case Mean:
		return FloatNumber(integer(words[0], c.Signed).Float() / float64(events))
	case Min:
		return integer(Unordered(^words[0], c.Signed), c.Signed)
	case Max:
		return integer(Unordered(words[0], c.Signed), c.Signed)
	case Last:
		return integer(words[1], c.Signed)
	}
	return Number{}
}
