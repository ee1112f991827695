// SPDX-License-Identifier: Apache-2.0

package kafka_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/redsift/ingraind/generated/conn"
	"github.com/redsift/ingraind/generated/exec"
	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/sink/kafka"
)

// tryOpen opens the sink with settings such as "acks=leader".
func tryOpen(settings ...string) (runtime.Sink, error) {
	s := runtime.Settings{}
	for _, d := range kafka.Part().Settings {
		s[d.Name] = d.Default
	}
	for _, pair := range settings {
		name, value, _ := strings.Cut(pair, "=")
		s[name] = value
	}
	return kafka.Part().Open(s)
}

func open(t testing.TB, settings ...string) runtime.Sink {
	t.Helper()
	sink, err := tryOpen(settings...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sink.Close() })
	return sink
}

const atTime = 1_700_000_000_123_456_789

// numbers is a stream whose rows are {"n":N,"comm":...,"why":...}, numbered.
func numbers() *runtime.Event {
	return &runtime.Event{
		Name: "number", Stream: true,
		Fields: []runtime.Field{
			{Name: "n", Type: runtime.TypeUint}, {Name: "who.comm", Type: runtime.TypeString}, {Name: "why", Type: runtime.TypeErrno},
			{Name: "args", Type: runtime.TypeWords}, {Name: "peer", Type: runtime.TypeIP},
		},
		AppendJSON: func(dst []byte, r runtime.Record) []byte {
			return append(runtime.AppendUint(append(dst, `{"n":`...), binary.LittleEndian.Uint64(r.Body)), '}')
		},
		AppendValues: func(dst []runtime.Value, r runtime.Record) []runtime.Value {
			return append(dst,
				runtime.Value{Type: runtime.TypeUint, Num: binary.LittleEndian.Uint64(r.Body)},
				runtime.Value{Type: runtime.TypeString, Bytes: r.Body[8:]},
				runtime.Value{Type: runtime.TypeErrno},
				runtime.Value{Type: runtime.TypeWords, Bytes: []byte("a\x00b"), State: runtime.TailSet},
				runtime.Value{Type: runtime.TypeIP, Bytes: []byte("\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\x7f\x00\x00\x01")})
		},
	}
}

var grain = &runtime.Grain{Name: "g"}

func numbered(e *runtime.Event, n int, comm string) *runtime.Row {
	body := append(binary.LittleEndian.AppendUint64(nil, uint64(n)), comm...)
	return &runtime.Row{Grain: grain, Event: e, Record: runtime.Record{Time: atTime, Weight: 1, Body: body}}
}

// batch is rows from one number to the one before another.
func batch(s runtime.Sink, name string, from, to int) *runtime.Batch {
	b := &runtime.Batch{Name: name}
	e := numbers()
	for n := from; n < to; n++ {
		b.Bytes = s.Encoding().AppendRow(b.Bytes, numbered(e, n, "sh"))
		b.Rows++
	}
	return b
}

// measured is a sink that measures each row as it is encoded, and sends none.
type measured struct {
	runtime.Sink
	rows, allocating int
	took, plain      time.Duration
}

func (m *measured) Encoding() runtime.Encoding                 { return measuring{m.Sink.Encoding(), m} }
func (m *measured) Ship(context.Context, *runtime.Batch) error { return nil }

type measuring struct {
	runtime.Encoding
	m *measured
}

func (e measuring) AppendRow(dst []byte, row *runtime.Row) []byte {
	buffer := e.Encoding.AppendRow(make([]byte, 0, 64<<10), row)
	if testing.AllocsPerRun(10, func() { buffer = e.Encoding.AppendRow(buffer[:0], row) }) != 0 {
		e.m.allocating++
	}
	e.m.took += least(func() { buffer = e.Encoding.AppendRow(buffer[:0], row) })
	e.m.plain += least(func() { buffer = runtime.NDJSON{}.AppendRow(buffer[:0], row) })
	e.m.rows++
	return e.Encoding.AppendRow(dst, row)
}

// least is the shortest of some times that f, called often, took: the machine
// does other things as well.
func least(f func()) time.Duration {
	shortest := time.Duration(1<<63 - 1)
	for range 20 {
		start := time.Now()
		for range 50 {
			f()
		}
		shortest = min(shortest, time.Since(start))
	}
	return shortest
}

func TestRowsOfTheStockGrainsAllocateNothingAndCostLittle(t *testing.T) {
	const most = 3.0
	for _, key := range []string{"", "{host}/{who.cgroup}/{who.comm}/{peer}"} {
		for _, name := range []string{"exec", "conn"} {
			recording, err := os.ReadFile("../../../grains/testdata/" + name + ".rec")
			if err != nil {
				t.Fatal(err)
			}
			m := &measured{Sink: open(t, "brokers=127.0.0.1:9", "key="+key)}
			if _, err := runtime.Replay(t.Context(), bytes.NewReader(recording), runtime.Options{
				Grains: []*runtime.Grain{exec.New(), conn.New()},
				Lanes:  []runtime.LaneOptions{{Name: "kafka", Sink: m}},
			}); err != nil {
				t.Fatal(err)
			}
			times := float64(m.took) / float64(m.plain)
			t.Logf("%s, key %q: %d rows, %.2f times what NDJSON takes", name, key, m.rows, times)
			if m.rows == 0 || m.allocating > 0 || times > most {
				t.Errorf("%s, key %q: %d of %d rows allocate, and take %.2f times what NDJSON does, want none and at most %.0f", name, key, m.allocating, m.rows, times, most)
			}
		}
	}
}
