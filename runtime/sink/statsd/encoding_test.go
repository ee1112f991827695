// SPDX-License-Identifier: Apache-2.0

package statsd_test

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/agg"
	"github.com/redsift/ingraind/runtime/sinktest"
)

var dialects = []string{"statsd", "dogstatsd"}

func encoded(t testing.TB, dialect string, row *runtime.Row) string {
	return string(open(t, "dialect="+dialect, "prefix=p").Encoding().AppendRow(nil, row))
}

func TestEachKindOfCellHasItsMetrics(t *testing.T) {
	event, _ := sinktest.AllCells()
	if diff := cmp.Diff(`p.g.t.a_b_c_d_e_f_g_h_i._bin_x_.2001_db8__1.-.1234567.n:7|c
p.g.t.a_b_c_d_e_f_g_h_i._bin_x_.2001_db8__1.-.1234567.total:-3|c
p.g.t.a_b_c_d_e_f_g_h_i._bin_x_.2001_db8__1.-.1234567.mean:1.5|g
p.g.t.a_b_c_d_e_f_g_h_i._bin_x_.2001_db8__1.-.1234567.low:0|g:-2|g
p.g.t.a_b_c_d_e_f_g_h_i._bin_x_.2001_db8__1.-.1234567.high:2|g
p.g.t.a_b_c_d_e_f_g_h_i._bin_x_.2001_db8__1.-.1234567.newest:0|g
p.g.t.a_b_c_d_e_f_g_h_i._bin_x_.2001_db8__1.-.1234567.kinds:9|g
p.g.t.a_b_c_d_e_f_g_h_i._bin_x_.2001_db8__1.-.1234567.below:0|g:-0.5|g
p.g.t.a_b_c_d_e_f_g_h_i._bin_x_.2001_db8__1.-.1234567.sizes.bucket.0:1|c
p.g.t.a_b_c_d_e_f_g_h_i._bin_x_.2001_db8__1.-.1234567.sizes.bucket.3:2|c
p.g.t.a_b_c_d_e_f_g_h_i._bin_x_.2001_db8__1.-.1234567.parts.bucket.-5:3|c
p.g.t.a_b_c_d_e_f_g_h_i._bin_x_.2001_db8__1.-.1234567.parts.bucket.inf:4|c
p.g.t.a_b_c_d_e_f_g_h_i._bin_x_.2001_db8__1.-.1234567.spread.p50:1|g
p.g.t.a_b_c_d_e_f_g_h_i._bin_x_.2001_db8__1.-.1234567.spread.p90:2.5|g
p.g.t.a_b_c_d_e_f_g_h_i._bin_x_.2001_db8__1.-.1234567.spread.p95:3|g
p.g.t.a_b_c_d_e_f_g_h_i._bin_x_.2001_db8__1.-.1234567.spread.p99:1e+21|g
`, encoded(t, "statsd", sinktest.TableRow(event, false))); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff(`p.g.t.n:7|c|#comm:a_b_c_d_e_f_g_h.i,exe:/bin/x_,peer:2001_db8__1,error:-,took:1234567
p.g.t.total:-3|c|#comm:a_b_c_d_e_f_g_h.i,exe:/bin/x_,peer:2001_db8__1,error:-,took:1234567
p.g.t.mean:1.5|g|#comm:a_b_c_d_e_f_g_h.i,exe:/bin/x_,peer:2001_db8__1,error:-,took:1234567
p.g.t.low:-2|g|#comm:a_b_c_d_e_f_g_h.i,exe:/bin/x_,peer:2001_db8__1,error:-,took:1234567
p.g.t.high:2|g|#comm:a_b_c_d_e_f_g_h.i,exe:/bin/x_,peer:2001_db8__1,error:-,took:1234567
p.g.t.newest:0|g|#comm:a_b_c_d_e_f_g_h.i,exe:/bin/x_,peer:2001_db8__1,error:-,took:1234567
p.g.t.kinds:9|g|#comm:a_b_c_d_e_f_g_h.i,exe:/bin/x_,peer:2001_db8__1,error:-,took:1234567
p.g.t.below:-0.5|g|#comm:a_b_c_d_e_f_g_h.i,exe:/bin/x_,peer:2001_db8__1,error:-,took:1234567
p.g.t.sizes.bucket:1|c|#comm:a_b_c_d_e_f_g_h.i,exe:/bin/x_,peer:2001_db8__1,error:-,took:1234567,le:0
p.g.t.sizes.bucket:2|c|#comm:a_b_c_d_e_f_g_h.i,exe:/bin/x_,peer:2001_db8__1,error:-,took:1234567,le:3
p.g.t.parts.bucket:3|c|#comm:a_b_c_d_e_f_g_h.i,exe:/bin/x_,peer:2001_db8__1,error:-,took:1234567,le:-5
p.g.t.parts.bucket:4|c|#comm:a_b_c_d_e_f_g_h.i,exe:/bin/x_,peer:2001_db8__1,error:-,took:1234567,le:inf
p.g.t.spread.p50:1|g|#comm:a_b_c_d_e_f_g_h.i,exe:/bin/x_,peer:2001_db8__1,error:-,took:1234567
p.g.t.spread.p90:2.5|g|#comm:a_b_c_d_e_f_g_h.i,exe:/bin/x_,peer:2001_db8__1,error:-,took:1234567
p.g.t.spread.p95:3|g|#comm:a_b_c_d_e_f_g_h.i,exe:/bin/x_,peer:2001_db8__1,error:-,took:1234567
p.g.t.spread.p99:1e+21|g|#comm:a_b_c_d_e_f_g_h.i,exe:/bin/x_,peer:2001_db8__1,error:-,took:1234567
`, encoded(t, "dogstatsd", sinktest.TableRow(event, false))); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestTheRowPastTheBoundSaysSo(t *testing.T) {
	values := &[]runtime.Value{{Type: runtime.TypeUint, Null: true}, {Type: runtime.TypeUint, Null: true}, sinktest.Number(4)}
	event := sinktest.Made("t", []runtime.Field{sinktest.Field("a", runtime.TypeUint), sinktest.Field("b", runtime.TypeUint)},
		[]runtime.Field{sinktest.CellOf("n", runtime.TypeUint, agg.Cell{Kind: agg.Count})}, values)
	if got, want := encoded(t, "statsd", sinktest.TableRow(event, true)), "p.g.t._overflow._overflow.n:4|c\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := encoded(t, "dogstatsd", sinktest.TableRow(event, true)), "p.g.t.n:4|c|#overflow:true\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestATableWithoutAKeyHasNoTags(t *testing.T) {
	values := &[]runtime.Value{sinktest.Number(4), {Type: runtime.TypeHistogram, Cell: []uint64{1, 0, 0, 0, 0, 0, 0, 0, 0}}}
	event := sinktest.Made("t", nil, []runtime.Field{
		sinktest.CellOf("n", runtime.TypeUint, agg.Cell{Kind: agg.Count}), sinktest.CellOf("h", runtime.TypeUint, agg.Cell{Kind: agg.Exp2, Bits: 8})}, values)
	if got, want := encoded(t, "dogstatsd", sinktest.TableRow(event, false)), "p.g.t.n:4|c\np.g.t.h.bucket:1|c|#le:0\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	event.Table.Measurement = "connection.out"
	if got, want := encoded(t, "statsd", sinktest.TableRow(event, false)), "p.connection.out.n:4|c\np.connection.out.h.bucket.0:1|c\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAnEventCountsAsManyAsItStandsFor(t *testing.T) {
	row := &runtime.Row{Grain: &runtime.Grain{Name: "conn"}, Event: &runtime.Event{Name: "connect", Stream: true}, Record: runtime.Record{Weight: 16}}
	for _, d := range dialects {
		if got, want := encoded(t, d, row), "p.conn.connect:16|c\n"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got, want := string(open(t).Encoding().AppendRow(nil, row)), "ingraind.metrics.conn.connect:16|c\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := string(open(t, "prefix=").Encoding().AppendRow(nil, row)), "conn.connect:16|c\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Sinks share rows whose encodings have one name.
func TestEncodingsWithOtherBytesHaveOtherNames(t *testing.T) {
	var names []string
	for _, s := range []string{"mtu=512", "dialect=dogstatsd", "prefix=", "prefix=statsd"} {
		names = append(names, open(t, s).Encoding().Name())
	}
	slices.Sort(names)
	if len(slices.Compact(names)) != 4 {
		t.Errorf("got %q, want four names", names)
	}
}

func TestQuantilesAreThoseOfTheCell(t *testing.T) {
	event, _ := sinktest.AllCells()
	got := encoded(t, "statsd", sinktest.TableRow(event, false))
	for _, p := range agg.Probabilities {
		if name := fmt.Sprintf(".spread.p%.0f:", math.Round(p*100)); strings.Count(got, name) != 1 {
			t.Errorf("got no %s in\n%s", name, got)
		}
	}
}

// Servers of the plain dialect count any other type as a counter.
var lines = map[string]*regexp.Regexp{
	"statsd":    regexp.MustCompile(`^[a-zA-Z0-9_-]+(\.[a-zA-Z0-9_-]+)*:(-?[0-9]+\|c|(0\|g:-)?[0-9]+(\.[0-9]+)?(e\+[0-9]+)?\|g)$`),
	"dogstatsd": regexp.MustCompile(`^[a-zA-Z0-9_-]+(\.[a-zA-Z0-9_-]+)*:(-?[0-9]+\|c|-?[0-9]+(\.[0-9]+)?(e\+[0-9]+)?\|g)(\|#[a-z]+:[!-~]+(,[a-z]+:[!-~]+)*)?$`),
}

// mustParse wants whole lines of a dialect, with as many tags as it says.
func mustParse(t testing.TB, dialect, text string, tags int) {
	t.Helper()
	if text != "" && !strings.HasSuffix(text, "\n") {
		t.Errorf("%q does not end its line", text)
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if !lines[dialect].MatchString(line) {
			t.Errorf("%s: got line %q", dialect, line)
		}
		if _, tagged, _ := strings.Cut(line, "|#"); dialect == "dogstatsd" {
			if strings.Contains(line, ".bucket:") {
				tagged = tagged[:strings.LastIndex(tagged, ",le:")]
			}
			if strings.Count(tagged, ":") != tags || strings.Count(tagged, ",") != max(tags-1, 0) || strings.ContainsAny(tagged, "|#@ ") {
				t.Errorf("got tags %q, want %d", tagged, tags)
			}
		}
	}
}

func FuzzEachLineParses(f *testing.F) {
	f.Add([]byte("curl"), []byte("/usr/bin/curl"), int64(-1), 1.5)
	f.Add([]byte("a|c\nb:1|g"), []byte("#x:y,z"), int64(1)<<62, math.Inf(1))
	f.Add([]byte(""), []byte(strings.Repeat(":é\xff", 999)), int64(0), math.Copysign(0, -1))
	f.Fuzz(func(t *testing.T, comm, text []byte, n int64, x float64) {
		event, values := sinktest.AllCells()
		v := *values
		v[0].Bytes, v[1].Bytes, v[2].Bytes = comm, text, append(text, make([]byte, 16)...)[:16]
		v[3].Num, v[4].Num = uint64(n), uint64(n)
		for i := 5; i < 15; i++ {
			if v[i].Type == runtime.TypeFloat {
				v[i].Num = math.Float64bits(x)
			} else {
				v[i].Num = uint64(n)
			}
		}
		v[15].Cell[0], v[17].Cell[0] = uint64(n), math.Float64bits(x)
		for _, d := range dialects {
			mustParse(t, d, encoded(t, d, sinktest.TableRow(event, false)), 5)
		}
	})
}

func TestARowAllocatesNothing(t *testing.T) {
	event, _ := sinktest.AllCells()
	rows := []*runtime.Row{sinktest.TableRow(event, false), sinktest.TableRow(event, true),
		{Grain: &runtime.Grain{Name: "conn"}, Event: &runtime.Event{Name: "connect", Stream: true}, Record: runtime.Record{Weight: 1}}}
	for _, d := range dialects {
		encoding := open(t, "dialect="+d).Encoding()
		dst := make([]byte, 0, 64<<10)
		if n := testing.AllocsPerRun(100, func() {
			for _, row := range rows {
				dst = encoding.AppendRow(dst[:0], row)
			}
		}); n != 0 {
			t.Errorf("%s: got %v allocations, want 0", d, n)
		}
	}
}
