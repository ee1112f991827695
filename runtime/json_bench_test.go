// SPDX-License-Identifier: Apache-2.0

package runtime_test

import (
	"encoding/binary"
	"encoding/json"
	"io"
	"testing"
	"time"

	"github.com/redsift/ingraind/runtime"
)

// line is an event of nine fields, as a naive agent would declare it.
type line struct {
	Time   time.Time `json:"time"`
	PID    uint32    `json:"pid"`
	TID    uint32    `json:"tid"`
	UID    uint32    `json:"uid"`
	Comm   string    `json:"comm"`
	Cgroup uint64    `json:"cgroup"`
	Nr     uint32    `json:"nr"`
	Flags  uint64    `json:"flags"`
	Path   string    `json:"path"`
}

const lineTime = 1_795_437_296_123_456_789

// lineBody is the same event as bytes of the kernel.
func lineBody() []byte {
	b := make([]byte, 0, 128)
	b = binary.LittleEndian.AppendUint64(b, 4_294_971_234)
	b = binary.LittleEndian.AppendUint64(b, 0x80000)
	b = append(b, "kworker/u8:3\x00\x00\x00\x00"...)
	b = binary.LittleEndian.AppendUint32(b, 12_345)
	b = binary.LittleEndian.AppendUint32(b, 12_346)
	b = binary.LittleEndian.AppendUint32(b, 1000)
	b = binary.LittleEndian.AppendUint32(b, 257)
	return append(b, "/usr/lib/x86_64.so"...)
}

// appendLine is what the generator writes for it.
func appendLine(dst []byte, r runtime.Record) []byte {
	b := r.Body
	_ = b[47]
	dst = append(dst, `{"time":`...)
	dst = runtime.AppendTime(dst, r.Time)
	dst = append(dst, `,"pid":`...)
	dst = runtime.AppendUint(dst, uint64(binary.LittleEndian.Uint32(b[32:])))
	dst = append(dst, `,"tid":`...)
	dst = runtime.AppendUint(dst, uint64(binary.LittleEndian.Uint32(b[36:])))
	dst = append(dst, `,"uid":`...)
	dst = runtime.AppendUint(dst, uint64(binary.LittleEndian.Uint32(b[40:])))
	dst = append(dst, `,"comm":`...)
	dst = runtime.AppendCString(dst, b[16:32])
	dst = append(dst, `,"cgroup":`...)
	dst = runtime.AppendUint(dst, binary.LittleEndian.Uint64(b))
	dst = append(dst, `,"nr":`...)
	dst = runtime.AppendUint(dst, uint64(binary.LittleEndian.Uint32(b[44:])))
	dst = append(dst, `,"flags":`...)
	dst = runtime.AppendUint(dst, binary.LittleEndian.Uint64(b[8:]))
	dst = append(dst, `,"path":`...)
	dst = runtime.AppendText(dst, b[48:], runtime.TailSet)
	return append(dst, '}')
}

func TestALineOfJSONIsThatOfEncodingJSON(t *testing.T) {
	var got, want line
	if err := json.Unmarshal(appendLine(nil, runtime.Record{Time: lineTime, Body: lineBody()}), &got); err != nil {
		t.Fatal(err)
	}
	want = lineStruct()
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func lineStruct() line {
	return line{time.Unix(0, lineTime).UTC(), 12_345, 12_346, 1000, "kworker/u8:3", 4_294_971_234, 257, 0x80000, "/usr/lib/x86_64.so"}
}

func BenchmarkLine(b *testing.B) {
	b.Run("append", func(b *testing.B) {
		dst, r := make([]byte, 0, 1024), runtime.Record{Time: lineTime, Body: lineBody()}
		for b.Loop() {
			dst = append(appendLine(dst[:0], r), '\n')
		}
	})
	b.Run("encoding", func(b *testing.B) {
		encoder, v := json.NewEncoder(io.Discard), lineStruct()
		encoder.SetEscapeHTML(false)
		for b.Loop() {
			if err := encoder.Encode(&v); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	dst := make([]byte, 0, 1024)
	comm := []byte("kworker/u8:3\x00\x00\x00\x00")
	path := []byte("/usr/lib/x86_64-linux-gnu/libcrypto.so.3")
	for name, f := range map[string]func(){
		"time":    func() { dst = runtime.AppendTime(dst[:0], lineTime) },
		"uint5":   func() { dst = runtime.AppendUint(dst[:0], 12_345) },
		"uint10":  func() { dst = runtime.AppendUint(dst[:0], 4_294_971_234) },
		"cstring": func() { dst = runtime.AppendCString(dst[:0], comm) },
		"text40":  func() { dst = runtime.AppendText(dst[:0], path, runtime.TailSet) },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				f()
			}
		})
	}
}
