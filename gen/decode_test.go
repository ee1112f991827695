// SPDX-License-Identifier: Apache-2.0

package gen_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math/rand/v2"
	"net"
	"net/netip"
	goruntime "runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/redsift/ingraind/gen/testdata/golden/generated/kinds"
	"github.com/redsift/ingraind/runtime"
)

// mirror is struct _data_all of testdata/golden/bpf/kinds.bpf.c, laid out by
// hand after the rules of C: what is written from it is what a kernel writes.
type mirror struct {
	Who                                   mirrorWho
	U64                                   uint64
	S64                                   int64
	Duration, Moment, Bytes, Cgroup, Wide uint64
	IP                                    [16]byte
	U32                                   uint32
	S32                                   int32
	IP4                                   [4]byte
	Error, Signal, Syscall                int32
	Interface                             uint32
	PID                                   int32
	User, Group, Color                    uint32
	Delta                                 int32
	Inner                                 mirrorInner
	Pair                                  [2]mirrorInner
	Path, Args                            mirrorTail
	U16                                   uint16
	S16                                   int16
	Port                                  uint16
	U8                                    uint8
	S8                                    int8
	Flag                                  bool
	MAC                                   [6]byte
	Name                                  [7]byte
	Raw                                   [5]byte
	_                                     [1]byte
	Sizes                                 [3]uint16
	_                                     [2]byte
	Secret                                int32
	Renamed                               uint64
}

type mirrorWho struct {
	Cgroup         uint64
	Comm           [16]byte
	PID, TID, PPID int32
	UID            uint32
}

type mirrorInner struct {
	A     uint16
	B     [2]int8
	Color uint32
}

type mirrorTail struct {
	At, Len uint16
	State   uint32
}

// bytes are the event as a record carries it, its variable parts behind it.
func (m *mirror) bytes(tail []byte) []byte {
	var b bytes.Buffer
	binary.Write(&b, binary.LittleEndian, m)
	return append(b.Bytes(), tail...)
}

// The named numbers that random events have, and what they are called.
var (
	errnos   = map[int32]any{0: nil, 2: "ENOENT", -13: "EACCES", 111: "ECONNREFUSED", 99999: 99999.0}
	signals  = map[int32]any{0: nil, 9: "SIGKILL", 15: "SIGTERM", 1000: 1000.0}
	syscalls = map[int32]any{map[string]int32{"amd64": 257, "arm64": 56}[goruntime.GOARCH]: "openat", 1 << 20: 1048576.0}
	colors   = map[uint32]any{1: "RED", 2: "GREEN", 0x80000000: "BLUE", 77: 77.0}
	deltas   = map[int32]any{-1: "DOWN", 0: "SAME", 1: "UP", -7: -7.0}
	wides    = map[uint64]any{1: "NARROW", 0x100000000: "WIDE", 5: 5.0}
)

func pick[K comparable](r *rand.Rand, m map[K]any) K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	return keys[r.IntN(len(keys))]
}

// random is a record of random values, and the strings in it.
func random(r *rand.Rand) (m mirror, path string, args []string) {
	raw := make([]byte, binary.Size(m))
	for i := range raw {
		raw[i] = byte(r.Uint32())
	}
	binary.Decode(raw, binary.LittleEndian, &m)
	m.Moment = r.Uint64N(1 << 60)
	if r.IntN(2) == 0 {
		m.IP = netip.AddrFrom4([4]byte(m.IP[:4])).As16()
	}
	for _, s := range [][]byte{m.Who.Comm[:], m.Name[:]} {
		copy(s, word(r, len(s)))
	}
	m.Error, m.Signal, m.Syscall = pick(r, errnos), pick(r, signals), pick(r, syscalls)
	m.Color, m.Delta, m.Wide = pick(r, colors), pick(r, deltas), pick(r, wides)
	for _, in := range []*mirrorInner{&m.Inner, &m.Pair[0], &m.Pair[1]} {
		in.Color = pick(r, colors)
	}
	m.Path.State, m.Args.State = uint32(r.IntN(8)), uint32(r.IntN(8))
	path = strings.ReplaceAll(word(r, r.IntN(64)), "\x00", "0")
	for range r.IntN(4) {
		args = append(args, strings.ReplaceAll(word(r, r.IntN(20)), "\x00", "0"))
	}
	return m, path, args
}

// word is random text with all that makes JSON difficult.
func word(r *rand.Rand, n int) string {
	const letters = "ab \"\\\n\t\x00\x01\x7f\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xff/<>"
	b := make([]byte, n)
	for i := range b {
		b[i] = letters[r.IntN(len(letters))]
	}
	return string(b)
}

// record puts an event and its strings behind each other.
func record(m *mirror, path string, args []string) runtime.Record {
	words := ""
	for _, a := range args {
		words += a + "\x00"
	}
	m.Path.At, m.Path.Len = 0, uint16(len(path))
	m.Args.At, m.Args.Len = uint16(len(path)), uint16(len(words))
	return runtime.Record{Time: 1700000000_123456789, Offset: 1_000_000_007, Weight: 3, Body: m.bytes([]byte(path + words))}
}

func TestGeneratedJSONIsWhatTheBytesSay(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	event := &kinds.New().Events[0]
	for range 2000 {
		m, path, args := random(r)
		rec := record(&m, path, args)
		if !event.Check(rec.Body) {
			t.Fatalf("got a record refused, want it taken: %x", rec.Body)
		}
		text := event.AppendJSON([]byte("before"), rec)
		if !bytes.HasPrefix(text, []byte("before{")) {
			t.Fatalf("got %.20q, want it behind what was there", text)
		}
		var got map[string]any
		if err := json.Unmarshal(text[len("before"):], &got); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		if diff := cmp.Diff(expectedJSON(&m, path, args), got); diff != "" {
			t.Fatalf("(-want +got):\n%s\nof %s", diff, text)
		}
	}
}

// expectedJSON is what a JSON parser must find. It reads numbers as float64.
func expectedJSON(m *mirror, path string, args []string) map[string]any {
	const rfc = "2006-01-02T15:04:05.000000000Z"
	inner := func(in mirrorInner) map[string]any {
		return map[string]any{"a": float64(in.A), "b": []any{float64(in.B[0]), float64(in.B[1])}, "color": colors[in.Color]}
	}
	want := map[string]any{
		"time": time.Unix(0, 1700000000_123456789).UTC().Format(rfc), "grain": "kinds", "event": "all", "weight": 3.0,
		"who": map[string]any{"cgroup": float64(m.Who.Cgroup), "comm": valid(cstring(m.Who.Comm[:])), "pid": float64(m.Who.PID), "ppid": float64(m.Who.PPID), "uid": float64(m.Who.UID)},
		"u64": float64(m.U64), "s64": float64(m.S64), "duration": float64(m.Duration), "bytes": float64(m.Bytes), "cgroup": float64(m.Cgroup),
		"moment": time.Unix(0, int64(m.Moment)+1_000_000_007).UTC().Format(rfc),
		"wide":   wides[m.Wide], "ip": netip.AddrFrom16(m.IP).Unmap().String(), "u32": float64(m.U32), "s32": float64(m.S32),
		"ip4": netip.AddrFrom4(m.IP4).String(), "error": errnos[m.Error], "signal": signals[m.Signal], "syscall": syscalls[m.Syscall],
		"interface": float64(m.Interface), "pid": float64(m.PID), "user": float64(m.User), "group": float64(m.Group),
		"color": colors[m.Color], "delta": deltas[m.Delta], "inner": inner(m.Inner), "pair": []any{inner(m.Pair[0]), inner(m.Pair[1])},
		"path": nil, "args": nil,
		"u16": float64(m.U16), "s16": float64(m.S16), "port": float64(m.Port), "u8": float64(m.U8), "s8": float64(m.S8), "flag": m.Flag,
		"mac": net.HardwareAddr(m.MAC[:]).String(), "name": valid(cstring(m.Name[:])), "raw": hex.EncodeToString(m.Raw[:]),
		"sizes": []any{float64(m.Sizes[0]), float64(m.Sizes[1]), float64(m.Sizes[2])}, "shown": float64(m.Renamed),
	}
	if filled(m.Path.State) {
		want["path"] = valid(path)
	}
	if filled(m.Args.State) {
		list := []any{}
		for _, a := range args {
			list = append(list, valid(a))
		}
		want["args"] = list
	}
	for name, state := range map[string]uint32{"path_cut": m.Path.State, "args_cut": m.Args.State} {
		if state&1 != 0 {
			want[name] = true
		}
	}
	return want
}

// filled: a grain set it (4), and no fault (2) came between.
func filled(state uint32) bool { return state&4 != 0 && state&2 == 0 }

func cstring(b []byte) string {
	s, _, _ := strings.Cut(string(b), "\x00")
	return s
}

// valid has U+FFFD for each byte that is not UTF-8.
func valid(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		b.WriteRune(r)
		s = s[n:]
	}
	return b.String()
}

func TestGeneratedDecodeIsWhatTheBytesSay(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 1000 {
		m, path, args := random(r)
		got, ok := kinds.DecodeAll(record(&m, path, args))
		if !ok {
			t.Fatal("got a record refused, want it taken")
		}
		inner := func(in mirrorInner) kinds.Inner { return kinds.Inner{A: in.A, B: in.B, Color: in.Color} }
		want := kinds.All{
			Time: time.Unix(0, 1700000000_123456789),
			Who:  runtime.Who{Cgroup: m.Who.Cgroup, Comm: cstring(m.Who.Comm[:]), PID: m.Who.PID, TID: m.Who.TID, PPID: m.Who.PPID, UID: m.Who.UID},
			U64:  m.U64, S64: m.S64, Duration: time.Duration(m.Duration), Moment: time.Unix(0, int64(m.Moment)+1_000_000_007),
			Bytes: m.Bytes, Cgroup: m.Cgroup, Wide: m.Wide, IP: netip.AddrFrom16(m.IP).Unmap(), U32: m.U32, S32: m.S32, IP4: netip.AddrFrom4(m.IP4),
			Error: m.Error, Signal: m.Signal, Syscall: m.Syscall, Interface: m.Interface, PID: m.PID, User: m.User, Group: m.Group,
			Color: m.Color, Delta: m.Delta, Inner: inner(m.Inner), Pair: [2]kinds.Inner{inner(m.Pair[0]), inner(m.Pair[1])},
			Path: runtime.Text{Text: path, State: runtime.TailState(m.Path.State)}, Args: runtime.Words{Words: args, State: runtime.TailState(m.Args.State)},
			U16: m.U16, S16: m.S16, Port: m.Port, U8: m.U8, S8: m.S8, Flag: m.Flag, MAC: m.MAC, Name: cstring(m.Name[:]), Raw: m.Raw,
			Sizes: m.Sizes, Secret: m.Secret, Renamed: m.Renamed,
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	}
}

// Values come in the order of the event's fields, with their types.
func TestGeneratedValuesAreWhatTheBytesSay(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	event := &kinds.New().Events[0]
	for range 1000 {
		m, path, args := random(r)
		values := event.AppendValues(nil, record(&m, path, args))
		if got, want := len(values), len(event.Fields); got != want {
			t.Fatalf("got %d values, want %d, as there are fields", got, want)
		}
		got := map[string]runtime.Value{}
		for i, f := range event.Fields {
			if values[i].Type != f.Type {
				t.Fatalf("%s: got type %d, want %d", f.Name, values[i].Type, f.Type)
			}
			got[f.Name] = values[i]
		}
		for name, want := range map[string]uint64{
			"who.cgroup": m.Who.Cgroup, "who.pid": uint64(int64(m.Who.PID)), "who.uid": uint64(m.Who.UID),
			"u64": m.U64, "s64": uint64(m.S64), "duration": m.Duration, "moment": m.Moment + 1_000_000_007, "wide": m.Wide,
			"u32": uint64(m.U32), "s32": uint64(int64(m.S32)), "error": uint64(int64(m.Error)), "delta": uint64(int64(m.Delta)),
			"inner.a": uint64(m.Inner.A), "pair.1.b.0": uint64(int64(m.Pair[1].B[0])), "sizes.2": uint64(m.Sizes[2]),
			"s8": uint64(int64(m.S8)), "u8": uint64(m.U8), "port": uint64(m.Port), "shown": m.Renamed,
		} {
			if got[name].Num != want {
				t.Fatalf("%s: got %d, want %d", name, got[name].Num, want)
			}
		}
		for name, want := range map[string]string{
			"who.comm": cstring(m.Who.Comm[:]), "name": cstring(m.Name[:]), "ip": string(m.IP[:]), "ip4": string(m.IP4[:]),
			"mac": string(m.MAC[:]), "raw": string(m.Raw[:]), "path": path,
		} {
			if string(got[name].Bytes) != want {
				t.Fatalf("%s: got %q, want %q", name, got[name].Bytes, want)
			}
		}
		for _, hidden := range []string{"who.tid", "secret", "renamed"} {
			if _, ok := got[hidden]; ok {
				t.Fatalf("got %s, want it hidden or under its label", hidden)
			}
		}
	}
}

func TestGeneratedEncodersDoNotAllocate(t *testing.T) {
	m, path, args := random(rand.New(rand.NewPCG(7, 8)))
	rec := record(&m, path, args)
	event := &kinds.New().Events[0]
	text, values := make([]byte, 0, 8192), make([]runtime.Value, 0, 128)
	got := testing.AllocsPerRun(1000, func() {
		if event.Check(rec.Body) {
			text = event.AppendJSON(text[:0], rec)
			values = event.AppendValues(values[:0], rec)
		}
	})
	if got != 0 {
		t.Errorf("got %v allocations for a record, want 0", got)
	}
}

// FuzzGenerated feeds bodies of any length: what Check takes is decoded by all
// without a panic and as JSON that a parser accepts; what is too short, or has
// its strings outside, is refused.
func FuzzGenerated(f *testing.F) {
	m, path, args := random(rand.New(rand.NewPCG(9, 10)))
	whole := record(&m, path, args).Body
	for _, body := range [][]byte{whole, whole[:len(whole)-1], whole[:247], whole[:248], nil, append(whole, whole...), bytes.Repeat([]byte{0xff}, 400), make([]byte, 300)} {
		f.Add(body, int64(0), uint32(1))
	}
	grain := kinds.New()
	sizes := []int{binary.Size(mirror{}), 96, 8}
	f.Fuzz(func(t *testing.T, body []byte, offset int64, weight uint32) {
		r := runtime.Record{Time: offset, Offset: offset, Weight: weight, Body: body}
		decoders := []func(runtime.Record) bool{
			func(r runtime.Record) bool { _, ok := kinds.DecodeAll(r); return ok },
			func(r runtime.Record) bool { _, ok := kinds.DecodeType(r); return ok },
			func(r runtime.Record) bool { _, ok := kinds.DecodeCtx(r); return ok },
		}
		for i := range grain.Events {
			e := &grain.Events[i]
			ok := e.Check(body)
			if ok && len(body) < sizes[i] {
				t.Fatalf("%s: got %d bytes taken, want at least %d", e.Name, len(body), sizes[i])
			}
			if got := decoders[i](r); got != ok {
				t.Fatalf("%s: got %v from Decode, want %v as from Check", e.Name, got, ok)
			}
			if !ok {
				continue
			}
			if n := len(e.AppendValues(nil, r)); n != len(e.Fields) {
				t.Fatalf("%s: got %d values, want %d", e.Name, n, len(e.Fields))
			}
			if text := e.AppendJSON(nil, r); !json.Valid(text) {
				t.Fatalf("%s: got no JSON: %s", e.Name, text)
			}
		}
	})
}
