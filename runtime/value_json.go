// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"math"

	"github.com/redsift/ingraind/runtime/agg"
)

// AppendValueJSON appends v as a JSON value: what generated encoders do for
// rows of streams, for values whose type is known only now. f is the field
// that v is a value of.
//
// Of a moment, v.Num is ns since 1970, or 0 for none.
func AppendValueJSON(dst []byte, v Value, f *Field) []byte {
	if v.Null {
		return append(dst, "null"...)
	}
	switch v.Type {
	case TypeInt, TypePID:
		return AppendInt(dst, int64(v.Num))
	case TypeBool:
		return AppendBool(dst, v.Num != 0)
	case TypeString:
		return AppendCString(dst, v.Bytes)
	case TypeText:
		return AppendText(dst, v.Bytes, v.State)
	case TypeWords:
		return AppendWords(dst, v.Bytes, v.State)
	case TypeHex:
		return AppendHex(dst, v.Bytes)
	case TypeEnum:
		name := ""
		if f.Enum != nil {
			name = f.Enum(int64(v.Num))
		}
		return AppendEnum(dst, name, int64(v.Num))
	case TypeIP:
		return AppendIP(dst, v.Bytes)
	case TypeIP4:
		return AppendIP4(dst, v.Bytes)
	case TypeNet:
		return append(appendNet(append(dst, '"'), v.Bytes), '"')
	case TypeMAC:
		return AppendMAC(dst, v.Bytes)
	case TypeMoment:
		if v.Num == 0 {
			return append(dst, "null"...)
		}
		return AppendTime(dst, int64(v.Num))
	case TypeErrno:
		return AppendErrno(dst, int32(v.Num))
	case TypeSignal:
		return AppendSignal(dst, int32(v.Num))
	case TypeSyscall:
		return AppendSyscall(dst, int32(v.Num), SyscallName(int32(v.Num)))
	case TypeFloat:
		return agg.FloatNumber(math.Float64frombits(v.Num)).Append(dst)
	case TypeHistogram:
		return f.Cell.Histogram(v.Cell).Append(dst)
	case TypeQuantiles:
		return appendQuantiles(dst, v.Cell)
	case TypeTop:
		return appendTop(dst, v, f)
	}
	return AppendUint(dst, v.Num)
}

// appendQuantiles appends {"p50":1,"p90":2,"p95":2,"p99":3}.
func appendQuantiles(dst []byte, words []uint64) []byte {
	sep := byte('{')
	for i, word := range words {
		dst = append(dst, sep)
		sep = ','
		dst = append(dst, `"p`...)
		dst = AppendUint(dst, uint64(math.Round(agg.Probabilities[i]*100)))
		dst = append(dst, '"', ':')
		dst = agg.FloatNumber(math.Float64frombits(word)).Append(dst)
	}
	return append(dst, '}')
}

// appendTop appends [{"value":"a","n":12},{"value":"b","n":3,"over":1}]: n is how
// often a value came at most, over how much of that it may not have.
func appendTop(dst []byte, v Value, f *Field) []byte {
	dst = append(dst, '[')
	first := true
	EachTop(v, f, func(value Value, n, over uint64) {
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = AppendValueJSON(append(dst, `{"value":`...), value, f)
		dst = AppendUint(append(dst, `,"n":`...), n)
		if over > 0 {
			dst = AppendUint(append(dst, `,"over":`...), over)
		}
		dst = append(dst, '}')
	})
	return append(dst, ']')
}

// EachTop calls each with the values of a top, the most frequent first, and with
// what AppendValueJSON calls n and over.
func EachTop(v Value, f *Field, each func(value Value, n, over uint64)) {
	items := f.Cell.Items([]uint64{v.Num}, v.Cell)
	for {
		item, ok := items.Next()
		if !ok {
			return
		}
		b := item.Append(nil)
		value := Value{Type: f.Type, Bytes: b, State: TailSet}
		if f.Type != TypeNet && len(b) <= 8 {
			for i := len(b) - 1; i >= 0; i-- {
				value.Num = value.Num<<8 | uint64(b[i])
			}
			if f.Cell.Signed && len(b) > 0 {
				unused := 64 - 8*len(b)
				value.Num = uint64(int64(value.Num<<unused) >> unused)
			}
		}
		each(value, item.Count, item.Error)
	}
}

// appendNet appends a network: "192.0.2.0/24".
func appendNet(dst, b []byte) []byte {
	if len(b) != 17 {
		return dst
	}
	return AppendUint(append(appendIP(dst, b[:16]), '/'), uint64(b[16]))
}
