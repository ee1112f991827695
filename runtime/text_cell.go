// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"math"
	"strconv"

	"github.com/redsift/ingraind/runtime/agg"
)

// appendFloatText appends a number that is one of what f counts: 1.5, or
// 1.234ms for durations.
func appendFloatText(dst []byte, x float64, f *Field) []byte {
	if f != nil && x >= 0 && x < math.MaxInt64 {
		switch f.Type {
		case TypeBytes:
			return appendBytesText(dst, uint64(x))
		case TypeDuration:
			return appendDurationText(dst, uint64(x))
		}
	}
	return strconv.AppendFloat(dst, x, 'g', 4, 64)
}

// appendHistogramText appends the buckets that have events, each with its
// greatest value: 1.023us:2,2.047us:1,+:3. The last bucket of some has none.
func appendHistogramText(dst []byte, v Value, f *Field) []byte {
	if f == nil || f.Cell == nil {
		return append(dst, '?')
	}
	h, first := f.Cell.Histogram(v.Cell), true
	for i := range h.Len() {
		b := h.Bucket(i)
		if b.N == 0 {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		if b.Greatest.Form == agg.Null {
			dst = append(dst, '+')
		} else {
			dst = AppendValueText(dst, Value{Type: f.Type, Num: b.Greatest.Bits()}, f)
		}
		dst = AppendUint(append(dst, ':'), b.N)
	}
	if first {
		dst = append(dst, '-')
	}
	return dst
}

// appendQuantilesText appends p50:1.5,p90:2.
func appendQuantilesText(dst []byte, v Value, f *Field) []byte {
	for i, word := range v.Cell {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = AppendUint(append(dst, 'p'), uint64(math.Round(agg.Probabilities[i]*100)))
		dst = appendFloatText(append(dst, ':'), math.Float64frombits(word), f)
	}
	return dst
}

// appendTopText appends the most frequent values, each with how often it came:
// /etc/passwd:12,/etc/group:3.
func appendTopText(dst []byte, v Value, f *Field) []byte {
	first := true
	if f != nil && f.Cell != nil {
		EachTop(v, f, func(value Value, n, _ uint64) {
			if !first {
				dst = append(dst, ',')
			}
			first = false
			dst = AppendUint(append(AppendValueText(dst, value, f), ':'), n)
		})
	}
	if first {
		dst = append(dst, '-')
	}
	return dst
}
