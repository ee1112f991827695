// SPDX-License-Identifier: Apache-2.0

package s3_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/redsift/ingraind/examples/grains/generated/ask"
	"github.com/redsift/ingraind/generated/conn"
	"github.com/redsift/ingraind/generated/exec"
	"github.com/redsift/ingraind/runtime"
)

// every is an event with a value of each type, in structs and arrays too.
func every(values *[]runtime.Value) *runtime.Event {
	colors := func(n int64) string { return map[int64]string{1: "RED", 2: "GREEN"}[n] }
	e := &runtime.Event{Name: "every", Help: "A value of each type.", Stream: true, Fields: []runtime.Field{
		{Name: "who.comm", Type: runtime.TypeString, Help: "Its name."},
		{Name: "who.pid", Type: runtime.TypePID},
		{Name: "who.inner.color", Type: runtime.TypeEnum, Enum: colors},
		{Name: "who.inner.sizes.0", Type: runtime.TypeBytes},
		{Name: "who.inner.sizes.1", Type: runtime.TypeBytes},
		{Name: "u", Type: runtime.TypeUint},
		{Name: "i", Type: runtime.TypeInt},
		{Name: "b", Type: runtime.TypeBool},
		{Name: "f", Type: runtime.TypeFloat},
		{Name: "text", Type: runtime.TypeText},
		{Name: "words", Type: runtime.TypeWords},
		{Name: "hex", Type: runtime.TypeHex},
		{Name: "color", Type: runtime.TypeEnum, Enum: colors},
		{Name: "ip", Type: runtime.TypeIP},
		{Name: "ip4", Type: runtime.TypeIP4},
		{Name: "net", Type: runtime.TypeNet},
		{Name: "port", Type: runtime.TypePort},
		{Name: "took", Type: runtime.TypeDuration},
		{Name: "since", Type: runtime.TypeMoment},
		{Name: "error", Type: runtime.TypeErrno},
		{Name: "signal", Type: runtime.TypeSignal},
		{Name: "call", Type: runtime.TypeSyscall},
		{Name: "cgroup", Type: runtime.TypeCgroup},
		{Name: "card", Type: runtime.TypeInterface},
		{Name: "mac", Type: runtime.TypeMAC},
		{Name: "user", Type: runtime.TypeUser},
		{Name: "team", Type: runtime.TypeGroup},
		{Name: "pair.0.a", Type: runtime.TypeUint},
		{Name: "pair.0.b.0", Type: runtime.TypeInt},
		{Name: "pair.0.b.1", Type: runtime.TypeInt},
		{Name: "pair.1.a", Type: runtime.TypeUint},
		{Name: "pair.1.b.0", Type: runtime.TypeInt},
		{Name: "pair.1.b.1", Type: runtime.TypeInt},
	}}
	e.AppendValues = func(dst []runtime.Value, _ runtime.Record) []runtime.Value { return append(dst, *values...) }
	e.AppendJSON = func(dst []byte, r runtime.Record) []byte {
		dst = runtime.AppendTime(append(dst, `{"time":`...), r.Time)
		dst = append(dst, `,"grain":"every","event":"every",`...)
		dst = appendMembers(dst, "", e.Fields, *values)
		return append(runtime.AppendWeight(dst, r.Weight), '}')
	}
	return e
}

// appendMembers appends fields whose names begin with prefix as an object's
// members, or as an array's elements.
func appendMembers(dst []byte, prefix string, fields []runtime.Field, values []runtime.Value) []byte {
	for i := 0; i < len(fields); {
		if i > 0 {
			dst = append(dst, ',')
		}
		name, _, more := strings.Cut(strings.TrimPrefix(fields[i].Name, prefix), ".")
		if _, element := strconv.Atoi(name); element != nil {
			dst = append(dst, `"`+name+`":`...)
		}
		if !more {
			v := values[i]
			dst = runtime.AppendValueJSON(dst, v, &fields[i])
			if v.Type == runtime.TypeText || v.Type == runtime.TypeWords {
				dst = runtime.AppendCut(dst, `,"`+name+`_cut":true`, v.State)
			}
			i++
			continue
		}
		in, n := prefix+name+".", i
		for n < len(fields) && strings.HasPrefix(fields[n].Name, in) {
			n++
		}
		open, end := byte('{'), byte('}')
		if strings.HasPrefix(fields[i].Name, in+"0") {
			open, end = '[', ']'
		}
		dst = append(appendMembers(append(dst, open), in, fields[i:n], values[i:n]), end)
		i = n
	}
	return dst
}

// random is values of fields, their extremes among them.
func random(r *rand.Rand, fields []runtime.Field) (values []runtime.Value) {
	pick := func(numbers ...int64) uint64 { return uint64(numbers[r.IntN(len(numbers))]) }
	some := func(n int) []byte {
		const letters = "ab \"\\\n\t\x01\x7f\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xff/<>'"
		b := make([]byte, r.IntN(n))
		for i := range b {
			b[i] = letters[r.IntN(len(letters))]
		}
		return b
	}
	bits := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return b
	}
	for _, f := range fields {
		v := runtime.Value{Type: f.Type, Num: r.Uint64() >> r.IntN(64)}
		switch f.Type {
		case runtime.TypeUint, runtime.TypeBytes, runtime.TypeDuration:
			v.Num = pick(0, 1, -1, 1<<62, int64(v.Num)) // -1: 2^64-1
		case runtime.TypeInt:
			v.Num = pick(0, -1, math.MinInt64, math.MaxInt64, int64(v.Num))
		case runtime.TypePID, runtime.TypePort, runtime.TypeUser, runtime.TypeGroup, runtime.TypeInterface:
			v.Num &= 0xffff
		case runtime.TypeBool:
			v.Num &= 1
		case runtime.TypeFloat:
			x := []float64{0, -1.5, 1e300, math.NaN(), math.Inf(-1), r.NormFloat64()}[r.IntN(6)]
			v.Num, v.Null = math.Float64bits(x), math.IsNaN(x) || math.IsInf(x, 0)
		case runtime.TypeString:
			v.Bytes = append(some(16), 0, 'x')
		case runtime.TypeText:
			v.Bytes, v.State = some(300), runtime.TailState(r.IntN(8))
		case runtime.TypeWords:
			v.State = runtime.TailState(r.IntN(8))
			for range r.IntN(5) {
				v.Bytes = append(append(v.Bytes, some(20)...), 0)
			}
		case runtime.TypeHex, runtime.TypeMAC:
			v.Bytes = bits(6)
		case runtime.TypeIP:
			if v.Bytes = bits(16); r.IntN(2) == 0 {
				copy(v.Bytes, "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff")
			}
		case runtime.TypeIP4:
			v.Bytes = bits(4)
		case runtime.TypeNet:
			v.Bytes = append(bits(16), byte(r.IntN(129)))
		case runtime.TypeMoment:
			v.Num = pick(0, r.Int64N(1<<62))
		case runtime.TypeEnum:
			v.Num = pick(1, 2, 77, -3)
		case runtime.TypeErrno:
			v.Num = pick(0, 2, 111, -13, 99999)
		case runtime.TypeSignal:
			v.Num = pick(0, 9, 1000)
		case runtime.TypeSyscall:
			v.Num = pick(0, 1, 1<<20)
		}
		values = append(values, v)
	}
	return values
}

// questions is a recording of the grain ask: programs by the thousand, more than
// a table of it holds.
func questions(t *testing.T, r *rand.Rand) []byte {
	t.Helper()
	grain, err := runtime.DescribeGrain(ask.New())
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	w, err := runtime.NewRecordingWriter(&file, []runtime.RecordedGrain{grain})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 6000 {
		raw := binary.LittleEndian.AppendUint64(nil, uint64(i)*300_000) // time
		raw = binary.LittleEndian.AppendUint32(raw, uint32(1+i%3))      // weight
		raw = binary.LittleEndian.AppendUint32(raw, 0)                  // grain, event
		body := make([]byte, 56)
		copy(body[8:24], "p\xff"+strconv.Itoa(r.IntN(1500)))
		number := r.Uint32() >> r.IntN(32)
		binary.LittleEndian.PutUint32(body[40:], r.Uint32N(5))
		binary.LittleEndian.PutUint32(body[44:], number)
		binary.LittleEndian.PutUint32(body[48:], number-100)
		if err := w.Append(append(raw, body...), atEight); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// atEight is two seconds before nine on 2026-11-23.
const atEight = 1_795_424_398_000_000_000

// shipEverything gives lanes rows of every type: made ones, those of tables with
// each kind of cell, and those of the stock grains. It returns how many rows of
// made ones there are.
func shipEverything(t *testing.T, lanes func() []runtime.LaneOptions) int {
	t.Helper()
	const rows = 3000
	r := rand.New(rand.NewPCG(1, 2))
	var all []*runtime.Lane
	for _, o := range lanes() {
		all = append(all, runtime.NewLane(o))
	}
	made := runtime.NewLanes(all...)
	var values []runtime.Value
	event, grain := every(&values), &runtime.Grain{Name: "every"}
	for n := range int64(rows) {
		values = random(r, event.Fields)
		made.Add(&runtime.Row{Grain: grain, Event: event, Record: runtime.Record{Time: atEight + n*1_000_000 + n%1000, Weight: uint32(n % 3)}})
	}
	if err := made.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	replayed := map[string][]byte{"ask": questions(t, r)}
	for _, name := range []string{"exec", "conn"} {
		recording, err := os.ReadFile(root + "/grains/testdata/" + name + ".rec")
		if err != nil {
			t.Fatal(err)
		}
		replayed[name] = recording
	}
	for name, recording := range replayed {
		grains := map[string][]*runtime.Grain{"ask": {ask.New()}}[name]
		if grains == nil {
			grains = []*runtime.Grain{exec.New(), conn.New()}
		}
		ledger, err := runtime.Replay(t.Context(), bytes.NewReader(recording), runtime.Options{Grains: grains, Lanes: lanes()})
		if err != nil || ledger.Losses() != 0 {
			t.Fatalf("%s: got %v and %d losses", name, err, ledger.Losses())
		}
	}
	return rows
}
