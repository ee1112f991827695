// SPDX-License-Identifier: Apache-2.0

package prometheus_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/agg"
	"github.com/redsift/ingraind/runtime/runtimetest"
	"github.com/redsift/ingraind/runtime/sink/prometheus"
	"github.com/redsift/ingraind/runtime/sinktest"
)

func settings(more ...string) runtime.Settings {
	return sinktest.Settings(prometheus.Part(), append([]string{"listen=127.0.0.1:0"}, more...)...)
}

func open(t testing.TB, more ...string) runtime.Sink {
	t.Helper()
	s := sinktest.Open(t, prometheus.Part(), append([]string{"listen=127.0.0.1:0"}, more...)...)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func ship(t testing.TB, s runtime.Sink, rows ...*runtime.Row) {
	t.Helper()
	var b []byte
	for _, r := range rows {
		b = s.Encoding().AppendRow(b, r)
	}
	if err := s.Ship(t.Context(), &runtime.Batch{Name: "a", Bytes: b}); err != nil {
		t.Fatal(err)
	}
}

const openMetrics = "application/openmetrics-text;version=1.0.0"

func scrape(t testing.TB, s runtime.Sink, accept string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+prometheus.Addr(s).String()+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", accept)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != 200 {
		t.Fatalf("got %s, %v: %s", answer.Status, err, body)
	}
	return string(body)
}

func mustHold(t testing.TB, text string, lines ...string) {
	t.Helper()
	for _, l := range lines {
		if !strings.Contains("\n"+text, "\n"+l+"\n") {
			t.Errorf("there is no line %q in\n%s", l, text)
		}
	}
}

// counted is a table of one key and one count.
func counted() (*runtime.Event, *[]runtime.Value) {
	v := &[]runtime.Value{{Type: runtime.TypeString, Bytes: []byte("a")}, sinktest.Number(1)}
	return sinktest.Made("t", []runtime.Field{sinktest.Field("who.comm", runtime.TypeString)},
		[]runtime.Field{sinktest.CellOf("n", runtime.TypeUint, agg.Cell{Kind: agg.Count})}, v), v
}

func TestMistakesInSettingsAreNamed(t *testing.T) {
	for setting, want := range map[string]string{
		"listen=9435":      `listen: "9435" is no HOST:PORT such as 127.0.0.1:9435 or [::1]:9435`,
		"listen=a:b":       `listen: "a:b" is no HOST:PORT such as 127.0.0.1:9435 or [::1]:9435`,
		"prefix=":          `prefix: "" is no name such as ingraind: up to 64 letters, digits and _, a letter first`,
		"prefix=a.b":       `prefix: "a.b" is no name such as ingraind: up to 64 letters, digits and _, a letter first`,
		"idle=long":        `idle: "long" is no duration such as 10s or 24h`,
		"max_series=0":     `max_series: "0" is no number from 1`,
		"max_series=a few": `max_series: "a few" is no number from 1`,
	} {
		if _, err := prometheus.Part().Open(settings(setting)); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", setting, err, want)
		}
	}
}

func TestAPortInUseIsSaidAtTheStart(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s, err := prometheus.Part().Open(settings("listen=" + l.Addr().String()))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = runtime.Start(s)
	if err == nil || !strings.Contains(err.Error(), "address already in use: end what has that port, or set another one") {
		t.Errorf("got %v", err)
	}
}

func TestEachKindOfCellHasItsMetrics(t *testing.T) {
	s := open(t)
	event, values := sinktest.AllCells()
	(*values)[0].Bytes = []byte("a\"b\\c\n\x00rest")
	ship(t, s, sinktest.TableRow(event, false), sinktest.TableRow(event, false))
	key := `comm="a\"b\\c\n",exe="/bin/x_",peer="2001:db8::1",error="-",took="1234567"`
	text := scrape(t, s, "text/plain")
	key = key[:strings.Index(key, `error=`)]
	for name, want := range map[string]string{
		"n_total": "14", "total": "-6", "mean": "1.5", "low": "-2", "high": "2", "newest": "0", "kinds": "9", "below": "-0.5",
		"sizes_bytes_count": "6", "parts_count": "14", "spread_count": "84",
		"sizes_bytes_sum": "2000", "spread_sum": "2000", "parts_sum": "NaN",
	} {
		found := false
		for line := range strings.Lines(text) {
			found = found || strings.HasPrefix(line, "ingraind_g_t_"+name+"{"+key) && strings.HasSuffix(line, "} "+want+"\n")
		}
		if !found {
			t.Errorf("%s: not %s in\n%s", name, want, text)
		}
	}
	for _, not := range []string{"_none{", "_nan{", "_often"} {
		if strings.Contains(text, not) {
			t.Errorf("%s was sent", not)
		}
	}
	for _, p := range agg.Probabilities {
		if !strings.Contains(text, fmt.Sprintf(`quantile="%v"`, p)) {
			t.Errorf("there is no quantile %v in\n%s", p, text)
		}
	}
	om := scrape(t, s, openMetrics)
	mustHold(t, om, "# UNIT ingraind_g_t_sizes_bytes bytes", "# TYPE ingraind_g_t_n counter", "# EOF")
}

func TestDurationsAreSeconds(t *testing.T) {
	s := open(t)
	event := sinktest.Made("t", nil, []runtime.Field{
		sinktest.CellOf("busy", runtime.TypeDuration, agg.Cell{Kind: agg.Sum}),
		sinktest.CellOf("longest", runtime.TypeDuration, agg.Cell{Kind: agg.Max}),
		sinktest.CellOf("spread", runtime.TypeDuration, agg.Cell{Kind: agg.Buckets, Bounds: []int64{1e9, 2e9}}),
	}, &[]runtime.Value{sinktest.Number(1500000000), sinktest.Number(250000000), {Type: runtime.TypeHistogram, Cell: []uint64{1, 2, 3}}})
	event.Table.Help, event.Fields[0].Help = "Of calls.", "sum(took)"
	ship(t, s, sinktest.TableRow(event, false))
	text := scrape(t, s, "text/plain")
	mustHold(t, text, "ingraind_g_t_busy_seconds_total 1.5", "ingraind_g_t_longest_seconds 0.25", "# HELP ingraind_g_t_busy_seconds_total Of calls. sum(took)",
		`ingraind_g_t_spread_seconds_bucket{le="1"} 1`, `ingraind_g_t_spread_seconds_bucket{le="2"} 3`, `ingraind_g_t_spread_seconds_bucket{le="+Inf"} 6`,
		"ingraind_g_t_spread_seconds_sum NaN")
	mustHold(t, scrape(t, s, openMetrics), "# UNIT ingraind_g_t_busy_seconds seconds", "ingraind_g_t_busy_seconds_total 1.5")
}

func TestStreamsAreCountedByWeight(t *testing.T) {
	s := open(t)
	row := &runtime.Row{Grain: &runtime.Grain{Name: "g"}, Event: &runtime.Event{Name: "e", Stream: true}, Record: runtime.Record{Weight: 10}}
	ship(t, s, row, row)
	mustHold(t, scrape(t, s, ""), "ingraind_g_e_total 20")
}

func TestTheRowPastTheBoundSaysSo(t *testing.T) {
	s := open(t)
	event, _ := counted()
	ship(t, s, sinktest.TableRow(event, true), sinktest.TableRow(event, false), sinktest.TableRow(event, true))
	mustHold(t, scrape(t, s, ""), `ingraind_g_t_n_total{overflow="true"} 2`, `ingraind_g_t_n_total{who_comm="a"} 1`)
}

func TestIdleSeriesVanishAndOthersStay(t *testing.T) {
	s := open(t, "idle=1m")
	now := time.Unix(1000, 0)
	var mu sync.Mutex
	prometheus.SetClock(s, func() time.Time { mu.Lock(); defer mu.Unlock(); return now })
	pass := func(d time.Duration) { mu.Lock(); defer mu.Unlock(); now = now.Add(d) }
	event, v := counted()
	ship(t, s, sinktest.TableRow(event, false))
	pass(40 * time.Second)
	(*v)[0].Bytes = []byte("b")
	ship(t, s, sinktest.TableRow(event, false))
	pass(30 * time.Second)
	text := scrape(t, s, "")
	mustHold(t, text, `ingraind_g_t_n_total{who_comm="b"} 1`, "ingraind_prometheus_series 1")
	if strings.Contains(text, `who_comm="a"`) {
		t.Errorf("an idle series is there:\n%s", text)
	}
}

func TestSeriesAreBoundedAndTheRestIsCounted(t *testing.T) {
	s := open(t, "max_series=2")
	event, v := counted()
	for _, name := range []string{"a", "b", "c", "d", "a"} {
		(*v)[0].Bytes = []byte(name)
		ship(t, s, sinktest.TableRow(event, false))
	}
	mustHold(t, scrape(t, s, ""), `ingraind_g_t_n_total{who_comm="a"} 2`, `ingraind_g_t_n_total{who_comm="b"} 1`,
		"ingraind_prometheus_series 2", `ingraind_prometheus_untaken_total{reason="max_series"} 2`)
}

// Each batch has as many rows of a as of b: a scrape that saw a part of one
// would see them differ.
func TestScrapersSeeWholeBatches(t *testing.T) {
	s := open(t)
	event, v := counted()
	var b []byte
	for _, name := range []string{"a", "b"} {
		(*v)[0].Bytes = []byte(name)
		b = s.Encoding().AppendRow(b, sinktest.TableRow(event, false))
	}
	const batches = 2000
	done := make(chan error, 1)
	go func() {
		var err error
		for i := 0; i < batches && err == nil; i++ {
			err = s.Ship(t.Context(), &runtime.Batch{Bytes: b})
		}
		done <- err
	}()
	var scrapers sync.WaitGroup
	for range 2 {
		scrapers.Go(func() {
			for range 50 {
				values := map[string]string{}
				for line := range strings.Lines(scrape(t, s, openMetrics)) {
					if name, value, ok := strings.Cut(line, "} "); ok && strings.HasPrefix(name, "ingraind_g_t_n_total") {
						values[name] = value
					}
				}
				if len(values) == 2 && values[`ingraind_g_t_n_total{who_comm="a"`] != values[`ingraind_g_t_n_total{who_comm="b"`] {
					t.Errorf("got a part of a batch: %v", values)
				}
			}
		})
	}
	scrapers.Wait()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	mustHold(t, scrape(t, s, ""), `ingraind_g_t_n_total{who_comm="a"} 2000`, `ingraind_g_t_n_total{who_comm="b"} 2000`)
}

func TestRowsAreEncodedWithoutAllocations(t *testing.T) {
	s := open(t)
	event, _ := sinktest.AllCells()
	row := sinktest.TableRow(event, false)
	dst := s.Encoding().AppendRow(nil, row)
	if n := testing.AllocsPerRun(100, func() { dst = s.Encoding().AppendRow(dst[:0], row) }); n != 0 {
		t.Errorf("got %v allocations, want none", n)
	}
}

// A batch cut anywhere but between rows is refused, and nothing of it counted.
func TestADamagedBatchIsRefusedWhole(t *testing.T) {
	s := open(t)
	event, _ := counted()
	b := s.Encoding().AppendRow(nil, sinktest.TableRow(event, false))
	one := len(b)
	b = append(b, b...)
	for n := one + 1; n < len(b); n++ {
		if err := s.Ship(t.Context(), &runtime.Batch{Bytes: b[:n]}); !runtime.IsPermanent(err) {
			t.Fatalf("%d bytes: got %v, want a permanent error", n, err)
		}
	}
	if text := scrape(t, s, ""); strings.Contains(text, "ingraind_g_t_n_total") {
		t.Errorf("a part was counted:\n%s", text)
	}
}

func FuzzShip(f *testing.F) {
	s := open(f)
	event, _ := sinktest.AllCells()
	f.Add(s.Encoding().AppendRow(nil, sinktest.TableRow(event, false)))
	counts, _ := counted()
	f.Add(s.Encoding().AppendRow(nil, sinktest.TableRow(counts, true)))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, failed := prometheus.Written(b); failed != nil {
			t.Errorf("taken, and then: %v", failed)
		}
	})
}

func TestTheConfigurationOfTheDocumentIsTaken(t *testing.T) {
	asked := runtimetest.SinkPage(t, prometheus.Part(), "../../../docs/sinks/prometheus.md", "testdata/config.yaml")
	asked["listen"] = "127.0.0.1:0"
	s, err := prometheus.Part().Open(asked)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
