// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"encoding/json"
	"testing"

	"github.com/redsift/ingraind/generated/conn"
	"github.com/redsift/ingraind/generated/dns"
	"github.com/redsift/ingraind/generated/exec"
	"github.com/redsift/ingraind/generated/priv"
	"github.com/redsift/ingraind/runtime"
)

func FuzzExec(f *testing.F) {
	fuzz(f, exec.New(),
		func(r runtime.Record) bool { _, ok := exec.DecodeExec(r); return ok },
		func(r runtime.Record) bool { _, ok := exec.DecodeExit(r); return ok },
	)
}

func FuzzConn(f *testing.F) {
	fuzz(f, conn.New(),
		func(r runtime.Record) bool { _, ok := conn.DecodeConnect(r); return ok },
		func(r runtime.Record) bool { _, ok := conn.DecodeAccept(r); return ok },
		func(r runtime.Record) bool { _, ok := conn.DecodeListen(r); return ok },
		func(r runtime.Record) bool { _, ok := conn.DecodeClose(r); return ok },
	)
}

func FuzzDNS(f *testing.F) {
	fuzz(f, dns.New(),
		func(r runtime.Record) bool { _, ok := dns.DecodeQuery(r); return ok },
		func(r runtime.Record) bool { _, ok := dns.DecodeAnswer(r); return ok },
		func(r runtime.Record) bool { _, ok := dns.DecodeUnanswered(r); return ok },
		func(r runtime.Record) bool { _, ok := dns.DecodeSkip(r); return ok },
	)
}

func FuzzPriv(f *testing.F) {
	fuzz(f, priv.New(),
		func(r runtime.Record) bool { _, ok := priv.DecodeIds(r); return ok },
		func(r runtime.Record) bool { _, ok := priv.DecodeCapset(r); return ok },
		func(r runtime.Record) bool { _, ok := priv.DecodeCapable(r); return ok },
		func(r runtime.Record) bool { _, ok := priv.DecodePtrace(r); return ok },
		func(r runtime.Record) bool { _, ok := priv.DecodePtraceCall(r); return ok },
		func(r runtime.Record) bool { _, ok := priv.DecodeModule(r); return ok },
		func(r runtime.Record) bool { _, ok := priv.DecodeBpf(r); return ok },
		func(r runtime.Record) bool { _, ok := priv.DecodeBpfCall(r); return ok },
		func(r runtime.Record) bool { _, ok := priv.DecodeNamespace(r); return ok },
		func(r runtime.Record) bool { _, ok := priv.DecodeMemfd(r); return ok },
		func(r runtime.Record) bool { _, ok := priv.DecodeExec(r); return ok },
	)
}

// fuzz checks that any bytes are either no event, or one that is JSON, has a
// value for each field, and can be copied; decode has a function for each
// event of the grain.
func fuzz(f *testing.F, g *runtime.Grain, decode ...func(runtime.Record) bool) {
	if len(decode) != len(g.Events) {
		f.Fatalf("%s has %d events, and there are %d decoders", g.Name, len(g.Events), len(decode))
	}
	for _, r := range goldenRecords(f, g) {
		f.Add(uint8(r.event), r.record.Time, r.record.Weight, r.record.Body)
		f.Add(uint8(r.event), r.record.Time, r.record.Weight, r.record.Body[:len(r.record.Body)-1])
	}
	f.Fuzz(func(t *testing.T, number uint8, at int64, weight uint32, body []byte) {
		n := int(number) % len(g.Events)
		e := &g.Events[n]
		r := runtime.Record{Time: at, Weight: weight, Body: body}
		whole := e.Check(body)
		if whole {
			r.Body, _ = e.Whole(new([]byte), body)
		}
		if decoded := decode[n](r); decoded != whole && (whole || e.Parse == nil) {
			t.Fatalf("%s: its check says %v, its decoder does not", e.Name, whole)
		}
		if !whole {
			return
		}
		if line := e.AppendJSON(nil, r); !json.Valid(line) {
			t.Errorf("%s: no JSON: %s", e.Name, line)
		}
		values := e.AppendValues(nil, r)
		if len(values) != len(e.Fields) {
			t.Fatalf("%s: got %d values of %d fields", e.Name, len(values), len(e.Fields))
		}
		for i, v := range values {
			runtime.AppendValueText(nil, v, &e.Fields[i])
		}
	})
}
