// SPDX-License-Identifier: Apache-2.0

package runtime

import "encoding/binary"

// AppendMoment appends a moment of CLOCK_MONOTONIC as the wall-clock time
// that a record's offset makes of it, or null for 0: no such moment.
func AppendMoment(dst []byte, mono uint64, offset int64) []byte {
	if mono == 0 {
		return append(dst, "null"...)
	}
	return AppendTime(dst, int64(mono)+offset)
}

// AppendTime appends ns since 1970 as an RFC 3339 string in UTC with nine
// digits of a second: "2026-11-23T12:34:56.123456789Z".
func AppendTime(dst []byte, ns int64) []byte {
	second, ns := floorDiv(ns, 1e9)
	day, second := floorDiv(second, 86400)
	year, month, date := civil(day)
	s, n := uint32(second), uint32(ns)

	// "2026-11-23T12:34:56.123456789Z"
	// 0       8       16      24      32
	dst = append(dst, `"0000-00-00T00:00:00.000000000Z"`...)
	b := (*[32]byte)(dst[len(dst)-32:])
	put2(b[1:3], year/100)
	put2(b[3:5], year%100)
	put2(b[6:8], month)
	put2(b[9:11], date)
	put2(b[12:14], s/3600)
	put2(b[15:17], s/60%60)
	put2(b[18:20], s%60)
	binary.LittleEndian.PutUint64(b[21:29], digits8(n/10)|zeros8)
	b[29] = '0' + byte(n%10)
	return dst
}

// floorDiv divides and rounds down; the rest is never negative.
func floorDiv(a, b int64) (quotient, rest int64) {
	quotient, rest = a/b, a%b
	if rest < 0 {
		return quotient - 1, rest + b
	}
	return quotient, rest
}

// put2 writes a number below 100 as two digits.
func put2(b []byte, n uint32) {
	binary.LittleEndian.PutUint16(b, uint16(n/10|n%10<<8|0x3030))
}

// civil turns days since 1970 into a date of the Gregorian calendar, for
// years 1 to 9999. Years are counted from March, so that the leap day is a
// year's last; the constants are of Neri and Schneider, "Euclidean affine
// functions and their application to calendar algorithms", 2022.
func civil(day int64) (year, month, date uint32) {
	n := 4*uint32(day+719468) + 3 // quarters of a day since March of year 0
	century := n / 146097
	of := uint64(n%146097|3) * 2939745
	dayOfYear := uint32(of) / 2939745 / 4
	m := 2141*dayOfYear + 197913
	year, month, date = 100*century+uint32(of>>32), m>>16, m&0xffff/2141+1
	if dayOfYear >= 306 { // January and February are the next year's
		return year + 1, month - 12, date
	}
	return year, month, date
}
