// SPDX-License-Identifier: Apache-2.0

package runtime

import "math"

// AppendValueText appends v as a person reads it: 1.234ms, 1.5MiB, 10.0.0.1,
// ECONNREFUSED, 'a b', and - for null. f is the field that v is a value of.
// Whatever the bytes of v are, what is appended holds no control character, no
// byte that is not UTF-8 and nothing else that a terminal would act on.
//
// Of a moment, v.Num is ns since 1970, or 0 for none. f may be nil: then enums
// are numbers.
func AppendValueText(dst []byte, v Value, f *Field) []byte {
	if v.Null {
		return append(dst, '-')
	}
	switch v.Type {
	case TypeUint, TypePort, TypeCgroup, TypeInterface, TypeUser, TypeGroup:
		return AppendUint(dst, v.Num)
	case TypeInt, TypePID:
		return AppendInt(dst, int64(v.Num))
	case TypeBool:
		return AppendBool(dst, v.Num != 0)
	case TypeString:
		return appendReadable(dst, v.Bytes)
	case TypeText:
		if v.State.Null() {
			return append(dst, '-')
		}
		return appendCut(appendReadable(dst, v.Bytes), v.State)
	case TypeWords:
		if v.State.Null() {
			return append(dst, '-')
		}
		return appendCut(appendCommand(dst, v.Bytes), v.State)
	case TypeHex:
		return appendHex(dst, v.Bytes)
	case TypeEnum:
		if f == nil || f.Enum == nil {
			return AppendInt(dst, int64(v.Num))
		}
		return appendNameText(dst, v, f.Enum(int64(v.Num)))
	case TypeSyscall:
		return appendNameText(dst, v, SyscallName(int32(v.Num)))
	case TypeIP:
		return appendIP(dst, v.Bytes)
	case TypeIP4:
		return appendIP4(dst, v.Bytes)
	case TypeNet:
		return appendNet(dst, v.Bytes)
	case TypeMAC:
		return appendMAC(dst, v.Bytes)
	case TypeBytes:
		return appendBytesText(dst, v.Num)
	case TypeDuration:
		return appendDurationText(dst, v.Num)
	case TypeMoment:
		return appendMomentText(dst, int64(v.Num))
	case TypeErrno:
		return appendCodeText(dst, v, errnoName(int32(v.Num)))
	case TypeFloat:
		return appendFloatText(dst, math.Float64frombits(v.Num), f)
	case TypeHistogram:
		return appendHistogramText(dst, v, f)
	case TypeQuantiles:
		return appendQuantilesText(dst, v, f)
	case TypeTop:
		return appendTopText(dst, v, f)
	case TypeSignal:
		return appendCodeText(dst, v, signalName(int32(v.Num)))
	}
	return append(dst, '?')
}

// appendNameText appends a name, or the number when it has none.
func appendNameText(dst []byte, v Value, name string) []byte {
	if name == "" {
		return AppendInt(dst, int64(v.Num))
	}
	return append(dst, name...)
}

// appendCodeText appends a number that has a name, and is null when 0.
func appendCodeText(dst []byte, v Value, name string) []byte {
	if v.Num == 0 {
		return append(dst, '-')
	}
	return appendNameText(dst, v, name)
}

func appendMomentText(dst []byte, ns int64) []byte {
	if ns == 0 {
		return append(dst, '-')
	}
	at := len(dst)
	dst = AppendTime(dst, ns)
	copy(dst[at:], dst[at+1:]) // without its quotes
	return dst[:len(dst)-2]
}

// appendCut appends a mark when there was more than the event has room for.
func appendCut(dst []byte, s TailState) []byte {
	if s&TailCut != 0 {
		return append(dst, "..."...)
	}
	return dst
}

// appendBytesText appends an amount of bytes: 512B, 1.5MiB.
func appendBytesText(dst []byte, n uint64) []byte {
	if n < 1<<10 {
		return append(AppendUint(dst, n), 'B')
	}
	unit := 0
	for n >= 1<<20 { // down to where a tenth of the unit is seen
		n >>= 10
		unit++
	}
	dst = AppendUint(dst, n>>10)
	dst = append(dst, '.', '0'+byte(n&1023*10>>10), "KMGTPE"[unit])
	return append(dst, "iB"...)
}

// appendDurationText appends nanoseconds: 812ns, 1.234ms, 2m05.120s, 3h04m05s.
func appendDurationText(dst []byte, n uint64) []byte {
	const second, minute, hour, day = 1e9, 60e9, 3600e9, 86400e9

	switch {
	case n < 1e3:
		return append(AppendUint(dst, n), "ns"...)
	case n < 1e6:
		return append(appendThousandths(dst, n), "us"...)
	case n < second:
		return append(appendThousandths(dst, n/1e3), "ms"...)
	case n < minute:
		return append(appendThousandths(dst, n/1e6), 's')
	case n < hour:
		dst = append(AppendUint(dst, n/minute), 'm')
		n %= minute
		if n < 10*second {
			dst = append(dst, '0')
		}
		return append(appendThousandths(dst, n/1e6), 's')
	case n < day:
		dst = append(AppendUint(dst, n/hour), 'h')
		dst = append(append2(dst, n%hour/minute), 'm')
		return append(append2(dst, n%minute/second), 's')
	}
	dst = append(AppendUint(dst, n/day), 'd')
	dst = append(append2(dst, n%day/hour), 'h')
	return append(append2(dst, n%hour/minute), 'm')
}

// appendThousandths appends n/1000 with three decimals.
func appendThousandths(dst []byte, n uint64) []byte {
	dst = append(AppendUint(dst, n/1000), '.')
	return append2(append(dst, '0'+byte(n/100%10)), n%100)
}

// append2 appends a number below 100 with two digits.
func append2(dst []byte, n uint64) []byte {
	return append(dst, '0'+byte(n/10), '0'+byte(n%10))
}
