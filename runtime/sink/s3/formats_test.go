// SPDX-License-Identifier: Apache-2.0

package s3_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/sink/s3/parquet"
)

var update = flag.Bool("update", false, "write the goldens of testdata anew")

// shipped is a folder with what a server keeps when rows of every type were
// shipped in each format, below a prefix named as that.
func shipped(t *testing.T) (dir string, rows int) {
	t.Helper()
	g := newGateway(t, false)
	rows = shipEverything(t, func() []runtime.LaneOptions {
		var lanes []runtime.LaneOptions
		for name, settings := range map[string]string{
			"ndjson":  "format=ndjson",
			"json":    "format=json compression=none",
			"parquet": "format=parquet object_size=256KiB",
			"gzip":    "format=parquet compression=gzip",
			"none":    "format=parquet compression=none",
		} {
			s, err := openPart(parquet.Part(), append(strings.Fields(settings), "prefix="+name, "bucket=rows", "endpoint=http://"+g.address)...)
			if err != nil {
				t.Fatal(err)
			}
			lanes = append(lanes, runtime.LaneOptions{Name: name, Sink: s, Limit: 64 << 20, Log: func(err error) { t.Error(err) }})
		}
		return lanes
	})
	return filepath.Join(g.dir, "data/rows"), rows
}

// kind is an event or a table of which there are rows.
type kind struct {
	grain, event string
	columns      [][2]string // name and type
}

func (k *kind) String() string { return k.grain + "." + k.event }

// files are those of Parquet below a prefix.
func (k *kind) files(prefix string) string {
	return fmt.Sprintf("read_parquet('%s/grain=%s/event=%s/*/*/*.parquet', hive_partitioning = false)", prefix, k.grain, k.event)
}

// lines are rows of JSON below a prefix, with the types of the files' columns. What JSON leaves
// out, files do not.
func (k *kind) lines(call, prefix, extension string) string {
	var types, values []string
	which := "event"
	for _, c := range k.columns {
		types = append(types, quoted(c[0])+": "+quoted(c[1]))
		if c[0] == "overflow" {
			which = `"table"`
		}
		switch name := `"` + c[0] + `"`; {
		case c[0] == "weight":
			values = append(values, "coalesce(weight, 1) AS weight")
		case c[0] == "overflow", strings.HasSuffix(c[0], "_cut"):
			values = append(values, fmt.Sprintf("coalesce(%s, false) AS %[1]s", name))
		case strings.Contains(c[1], `"over" UBIGINT`):
			values = append(values, fmt.Sprintf(`[{'value': x."value", 'n': x.n, 'over': coalesce(x."over", 0)} FOR x IN %s] AS %[1]s`, name))
		default:
			values = append(values, name)
		}
	}
	types = append(types, "'event': 'VARCHAR', 'table': 'VARCHAR'")
	return fmt.Sprintf("(SELECT %s FROM %s('%s/grain=%s/*/*/*%s', columns = {%s}, hive_partitioning = false) WHERE %s = '%s')",
		strings.Join(values, ", "), call, prefix, k.grain, extension, strings.Join(types, ", "), which, k.event)
}

// described is the kinds of which there are files below dir.
func described(t *testing.T, dir string) []*kind {
	t.Helper()
	var kinds []*kind
	var questions []string
	for _, name := range strings.Fields("every.every ask.there ask.sketch ask.askers exec.exec exec.exit exec.ends conn.listen conn.connect conn.accept conn.close conn.peers") {
		grain, event, _ := strings.Cut(name, ".")
		k := &kind{grain: grain, event: event}
		kinds = append(kinds, k)
		questions = append(questions, "DESCRIBE FROM "+k.files(dir))
	}
	for i, a := range sql(t, questions...) {
		for _, row := range a.Rows {
			kinds[i].columns = append(kinds[i].columns, [2]string{row[0].(string), row[1].(string)})
		}
	}
	return kinds
}

// What DuckDB reads from files of Parquet are the values, and as many, that it
// reads from JSON.
func TestDuckDBReadsTheSameFromEachFormat(t *testing.T) {
	dir, rows := shipped(t)
	kinds := described(t, dir+"/parquet")
	golden := ""
	var questions []string
	var of []string // what each three questions are about
	for _, k := range kinds {
		golden += k.String() + "\n"
		for _, c := range k.columns {
			golden += fmt.Sprintf("  %-12s %s\n", c[0], c[1])
		}
		files := k.files(dir + "/parquet")
		for _, other := range []string{
			k.lines("read_ndjson", dir+"/ndjson", ".ndjson.zst"),
			k.lines("read_json", dir+"/json", ".json"),
			k.files(dir + "/gzip"),
			k.files(dir + "/none"),
		} {
			of = append(of, k.String()+": "+other)
			questions = append(questions,
				fmt.Sprintf("SELECT (SELECT count(*) FROM %s), (SELECT count(*) FROM %s)", files, other),
				fmt.Sprintf("FROM %s EXCEPT ALL FROM %s LIMIT 2", files, other),
				fmt.Sprintf("FROM %s EXCEPT ALL FROM %s LIMIT 2", other, files))
		}
	}
	answers := sql(t, questions...)
	for i, of := range of {
		counts, only, others := answers[3*i].Rows[0], answers[3*i+1].Rows, answers[3*i+2].Rows
		if counts[0] == "0" || counts[0] != counts[1] || i == 0 && counts[0] != fmt.Sprint(rows) {
			t.Errorf("%s: got %v rows, in files %v, want as many; of every.every %d", of, counts[1], counts[0], rows)
		}
		if len(only) > 0 || len(others) > 0 {
			t.Errorf("%s: got %v, in files %v, want the same", of, others, only)
		}
	}
	const columns = "testdata/columns.txt"
	if *update {
		if err := os.WriteFile(columns, []byte(golden), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(columns); err != nil || string(want) != golden {
		t.Errorf("%s: %v: got columns\n%s", columns, err, golden)
	}
}

// Folders are columns, with which whole files are left out; and so are the least
// and greatest values that files have of their columns.
func TestPartitionsAndStatisticsLeaveOutNothingThatIsAskedFor(t *testing.T) {
	dir, rows := shipped(t)
	files := "read_parquet('" + dir + "/parquet/**/*.parquet', hive_partitioning = true, union_by_name = true)"
	lines := "read_ndjson('" + dir + "/ndjson/**/*.ndjson.zst', hive_partitioning = true, union_by_name = true, sample_size = -1)"
	count := func(from, where string) string { return "SELECT count(*) FROM " + from + " WHERE " + where }
	const of = "grain = 'every' AND event = 'every' AND "
	a := sql(t,
		count(files, of+"dt = '2026-11-23' AND hour = '08'"),
		count(lines, of+"dt = '2026-11-23' AND hour = '08'"),
		count(files, of+"dt >= '2026-11-23' AND hour = '09' AND time >= '2026-11-23T09:00:00Z'"),
		count(lines, of+"dt >= '2026-11-23' AND hour = '09' AND time::TIMESTAMPTZ >= '2026-11-23T09:00:00Z'"),
		count(files, of+"time < '2026-11-23T09:00:00Z'"),
		count(lines, of+"time::TIMESTAMPTZ < '2026-11-23T09:00:00Z'"),
		count(files, of+"dt < '2026-11-23'"),
		count(files, of+"u = 18446744073709551615"), count(lines, of+"u = 18446744073709551615"),
		count(files, of+"u < 2"), count(lines, of+"u < 2"),
		count(files, of+"i = -9223372036854775808"), count(lines, of+"i = -9223372036854775808"),
		count(files, of+"who.inner.sizes[2] = 0"), count(lines, of+"who.inner.sizes[2] = 0"),
		count(files, "event IN ('there', 'peers') AND overflow"), count(lines, `"table" IN ('there', 'peers') AND overflow`),
	)
	n := func(i int) string { return a[i].Rows[0][0].(string) }
	for i, want := range []int{2000, 2000, 1000, 1000, 2000, 2000, 0} {
		if n(i) != fmt.Sprint(want) {
			t.Errorf("question %d: got %s rows of %d, want %d", i, n(i), rows, want)
		}
	}
	for i := 7; i < len(a); i += 2 {
		if n(i) == "0" || n(i) != n(i+1) {
			t.Errorf("question %d: got %s rows from files and %s from lines, want some, and as many", i, n(i), n(i+1))
		}
	}
}

// A file of many pages, with columns whose values are too many for a dictionary.
func TestALargeFileIsWhole(t *testing.T) {
	const rows = 400_000
	g := newGateway(t, false)
	sink, err := openPart(parquet.Part(), "format=parquet", "object_size=64MiB", "bucket=rows", "endpoint=http://"+g.address)
	if err != nil {
		t.Fatal(err)
	}
	lanes := runtime.NewLanes(runtime.NewLane(runtime.LaneOptions{Name: "s3", Sink: sink, Limit: 128 << 20, Log: func(err error) { t.Error(err) }}))
	var values []runtime.Value
	event := &runtime.Event{Name: "number", Stream: true, Fields: []runtime.Field{{Name: "n", Type: runtime.TypeUint}, {Name: "square", Type: runtime.TypeInt}, {Name: "text", Type: runtime.TypeText}},
		AppendValues: func(dst []runtime.Value, _ runtime.Record) []runtime.Value { return append(dst, values...) }}
	for n := range uint64(rows) {
		text := strconv.AppendUint(nil, n*2_654_435_761, 36)
		values = []runtime.Value{{Type: runtime.TypeUint, Num: n}, {Type: runtime.TypeInt, Num: n * n}, {Type: runtime.TypeText, Bytes: text, State: runtime.TailSet}}
		lanes.Add(&runtime.Row{Grain: &runtime.Grain{Name: "numbers"}, Event: event, Record: runtime.Record{Time: atEight + int64(n), Weight: 1}})
	}
	if err := lanes.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	from := " FROM '" + g.dir + "/data/rows/grain=numbers/event=number/*/*/*.parquet'"
	a := sql(t,
		"SELECT count(*), count(DISTINCT n), min(n), max(n), count(DISTINCT text), count(DISTINCT filename)"+from,
		"SELECT count(*)"+from+" WHERE square <> n * n OR text_cut OR weight <> 1",
		"SELECT text"+from+" WHERE n = 399999")
	want := fmt.Sprintf("[400000 400000 0 399999 400000 1] [0] [%s]", strconv.FormatUint(399_999*2_654_435_761, 36))
	if got := fmt.Sprint(a[0].Rows[0], a[1].Rows[0], a[2].Rows[0]); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// An agent that knows none of the grains ships what one before it left: a batch
// says itself what it is.
func TestFilesAreMadeOfWhatAnAgentBeforeLeft(t *testing.T) {
	g := newGateway(t, false)
	dir := filepath.Join(t.TempDir(), "s3")
	lane := func(settings ...string) *runtime.Lanes {
		spool, err := runtime.OpenSpool(runtime.SpoolOptions{Dir: dir, Always: true})
		if err != nil {
			t.Fatal(err)
		}
		sink, err := openPart(parquet.Part(), append(settings, "format=parquet", "bucket=rows", "endpoint=http://"+g.address)...)
		if err != nil {
			t.Fatal(err)
		}
		return runtime.NewLanes(runtime.NewLane(runtime.LaneOptions{Name: "s3", Sink: sink, Spool: spool}))
	}
	g.kill()
	const rows = 100
	var values []runtime.Value
	event, r := every(&values), rand.New(rand.NewPCG(7, 8))
	before := lane()
	for n := range int64(rows) {
		values = random(r, event.Fields)
		before.Add(&runtime.Row{Grain: &runtime.Grain{Name: "every"}, Event: event, Record: runtime.Record{Time: atEight + n, Weight: 1}})
	}
	if err := before.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if b := before.Books()[0]; b.Spooled != rows {
		t.Fatalf("got %+v, want %d rows spooled", b, rows)
	}
	g.start()
	after := lane("prefix=/p", "compression=gzip")
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end) && after.Books()[0].Shipped < rows; {
		time.Sleep(10 * time.Millisecond)
	}
	if err := after.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	files := g.dir + "/data/rows/p/grain=every/event=every/dt=2026-11-23/hour=08/" + host + "-*.parquet"
	if got := one(t, "SELECT count(*) FROM '"+files+"'"); got != fmt.Sprint(rows) {
		t.Errorf("got %v rows, want %d", got, rows)
	}
}

func TestADamagedBatchIsDroppedAndSaid(t *testing.T) {
	g := newGateway(t, false)
	sink, err := openPart(parquet.Part(), "format=parquet", "layout=flat", "bucket=rows", "endpoint=http://"+g.address)
	if err != nil {
		t.Fatal(err)
	}
	if err := sink.Ship(t.Context(), batch("00", "{}\n")); err == nil || !runtime.IsPermanent(err) || len(g.objects()) > 0 {
		t.Errorf("got %v, permanent %v, and objects %v, want it to be refused for good", err, runtime.IsPermanent(err), g.objects())
	}
	whole := `{"name":"exec.exit","columns":[{"name":"n","kind":"uint"}]}`
	ship(t, sink, batch("01", string(rune(len(whole)))+whole+"\x07"))
	if got := one(t, "SELECT n FROM '"+g.dir+"/data/rows/*_01.parquet'"); got != "7" {
		t.Errorf("got %v, want 7", got)
	}
}

// Where folders say the grain and the event, files do not: not all engines take
// a column twice.
func TestFilesSayTheirGrainAndEventWhereNoFolderDoes(t *testing.T) {
	for layout, want := range map[string]string{"hive": "0", "flat": "2"} {
		g := newGateway(t, false)
		sink, err := openPart(parquet.Part(), "format=parquet", "layout="+layout, "bucket=rows", "endpoint=http://"+g.address)
		if err != nil {
			t.Fatal(err)
		}
		lanes := runtime.NewLanes(runtime.NewLane(runtime.LaneOptions{Name: "s3", Sink: sink}))
		var values []runtime.Value
		event := every(&values)
		values = random(rand.New(rand.NewPCG(3, 4)), event.Fields)
		for range 3 {
			lanes.Add(&runtime.Row{Grain: &runtime.Grain{Name: "every"}, Event: event, Record: runtime.Record{Time: atEight, Weight: 1}})
		}
		if err := lanes.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		files := g.dir + "/data/rows/**/*.parquet"
		named := one(t, "SELECT count(*) FROM parquet_schema('"+files+"') WHERE name IN ('grain', 'event')")
		rows := one(t, "SELECT count(*) FROM '"+files+"' WHERE grain = 'every' AND event = 'every'")
		if named != want || rows != "3" {
			t.Errorf("%s: got %v such columns in files, and %v rows, want %s and 3", layout, named, rows, want)
		}
		g.kill()
	}
}
