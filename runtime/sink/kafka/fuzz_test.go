// SPDX-License-Identifier: Apache-2.0

package kafka

import (
	"bytes"
	"strings"
	"testing"

	"github.com/redsift/ingraind/runtime"
)

// What a spool holds may be anything.
func FuzzBatchesOfAnyBytesAreTakenWholeOrRefused(f *testing.F) {
	f.Add([]byte{})
	f.Add(bytes.Repeat([]byte{0}, 2*headSize))
	f.Add([]byte("\x0a\x00\x00\x00........\x02\x00\x00\x00\x01\x01gekk{\"n\"}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p := &producer{topic: template{{name: "grain"}, {text: "."}, {name: "event"}}, topics: map[string]string{}}
		records, ok := p.records(&runtime.Batch{Name: "n", Rows: 1 << 40, Bytes: b})
		if !ok {
			return
		}
		size := 0
		for _, r := range records {
			size += headSize + len(r.Topic) - len(".") + len(r.Key) + len(r.Value)
			if cap(r.Value) != len(r.Value) {
				t.Error("an append to a value would reach the next record")
			}
		}
		if size != len(b) {
			t.Errorf("%d of %d bytes are in records", size, len(b))
		}
	})
}

func FuzzARecordComesBackAsItWas(f *testing.F) {
	f.Add("exec", "exec", `{"a":1}`, "{host}-{grain}/{event}", int64(1))
	f.Add(strings.Repeat("g", 300), "", "", "", int64(-1))
	f.Fuzz(func(t *testing.T, grain, event, json, key string, at int64) {
		parsed, err := parseTemplate("key", key, "host", "grain", "event")
		if err != nil {
			return
		}
		row := &runtime.Row{Grain: &runtime.Grain{Name: grain}, Record: runtime.Record{Time: at}, Event: &runtime.Event{
			Name: event, AppendJSON: func(dst []byte, _ runtime.Record) []byte { return append(dst, json...) },
		}}
		encoding := newEncoding("h", parsed)
		b := encoding.AppendRow(encoding.AppendRow(nil, row), row)
		wantKey := parsed.with(map[string]string{"host": "h", "grain": grain[:min(len(grain), 255)], "event": event[:min(len(event), 255)]})
		for range 2 {
			e, rest, ok := next(b)
			if !ok || e.time != at || string(e.grain) != grain[:min(len(grain), 255)] || string(e.event) != event[:min(len(event), 255)] || string(e.key) != wantKey || string(e.value) != json {
				t.Fatalf("got %d %q %q %q %q, %v", e.time, e.grain, e.event, e.key, e.value, ok)
			}
			b = rest
		}
		if len(b) > 0 {
			t.Errorf("%d bytes are left", len(b))
		}
	})
}

func FuzzATopicIsALegalName(f *testing.F) {
	for _, text := range []string{"ingraind", "a.{grain}.{event}", "{", "}", "{}", "..", "{grain}{grain}", "é"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		topic, err := parseTopic(text)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\x00") {
				t.Errorf("got a message of several lines: %q", err)
			}
			return
		}
		if name := topic.with(map[string]string{"grain": "exec", "event": "exec"}); !legalTopic.MatchString(name) {
			t.Errorf("%q gives the topic %q", text, name)
		}
	})
}
