// SPDX-License-Identifier: Apache-2.0

package parquet_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"strings"
	"testing"

	pq "github.com/parquet-go/parquet-go"

	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/sink/s3"
	"github.com/redsift/ingraind/runtime/sink/s3/parquet"
)

// batch is bytes of rows behind a head.
func batch(head, rows string) []byte {
	return append(append(binary.AppendUvarint(nil, uint64(len(head))), head...), rows...)
}

// columns is a head with columns.
func columns(list string) string { return `{"name":"x.y","columns":[` + list + `]}` }

// opened is the file of a batch, as a reader finds it.
func opened(t testing.TB, b []byte) (*pq.File, []pq.Row) {
	t.Helper()
	content, err := parquet.Format().Content(b, s3.Packing{Compression: s3.None})
	if err != nil {
		t.Fatal(err)
	}
	file, err := pq.OpenFile(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	var all []pq.Row
	for _, group := range file.RowGroups() {
		rows := group.Rows()
		for {
			buffer := make([]pq.Row, 16)
			n, err := rows.ReadRows(buffer)
			for _, row := range buffer[:n] {
				all = append(all, row.Clone())
			}
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return file, all
}

// DuckDB reads microseconds; others all that there is.
func TestTimesOfAFileHaveNanoseconds(t *testing.T) {
	const at = 1_795_437_296_000_000_007
	file, rows := opened(t, batch(columns(`{"name":"time","kind":"time"}`), string(binary.LittleEndian.AppendUint64(nil, at))))
	if len(rows) != 1 || rows[0][0].Int64() != at || !strings.Contains(file.Schema().String(), "required int64 time (TIMESTAMP(isAdjustedToUTC=true,unit=NANOS))") {
		t.Errorf("got %v of %s", rows, file.Schema())
	}
}

func TestAFileSaysWhatItIs(t *testing.T) {
	for _, b := range stock(t, "exec").batches {
		file, rows := opened(t, b.Bytes)
		text, _ := file.Lookup("ingraind")
		var said struct {
			Name, Help string
			Columns    []struct{ Name, Help, Kind string }
		}
		if err := json.Unmarshal([]byte(text), &said); err != nil {
			t.Fatal(err)
		}
		if said.Name != b.Grain+"."+b.Event || said.Help == "" || said.Columns[3].Help == "" || len(rows) != b.Rows || file.Schema().Name() != said.Name {
			t.Errorf("got %+v and %d rows of %s, want %d of %s.%s", said, len(rows), file.Schema().Name(), b.Rows, b.Grain, b.Event)
		}
	}
}

// An array of what is not alike, or not counted from 0, is a struct.
func TestOnlyWhatIsAlikeIsAList(t *testing.T) {
	for list, want := range map[string]string{
		`{"name":"a.0","kind":"uint"},{"name":"a.1","kind":"uint"}`:                                      "repeated group list { required int64 element (INT(64,false)); }",
		`{"name":"a.0","kind":"uint"},{"name":"a.1","kind":"int"}`:                                       "required group a { required int64 0 (INT(64,false)); required int64 1 (INT(64,true)); }",
		`{"name":"a.1","kind":"uint"},{"name":"a.2","kind":"uint"}`:                                      "required group a { required int64 1 (INT(64,false)); required int64 2 (INT(64,false)); }",
		`{"name":"a.0.x","kind":"bool"},{"name":"a.1.y","kind":"bool"}`:                                  "required group a { required group 0 { required boolean x; } required group 1 { required boolean y; } }",
		`{"name":"a.0.0","kind":"bool"},{"name":"a.0.1","kind":"bool"},{"name":"b","kind":"constant"}`:   "required group a (LIST) { repeated group list { required group element (LIST) {",
		`{"name":"0","kind":"bool"},{"name":"1","kind":"bool"}`:                                          "{ required boolean 0; required boolean 1; }",
		`{"name":"a","kind":"strings","null":true},{"name":"b","kind":"buckets","of":"int","null":true}`: "optional group a (LIST) { repeated group list { required binary element (STRING); } } optional group b (LIST) {",
	} {
		file, rows := opened(t, batch(columns(list), "\x00\x00"))
		if got := strings.Join(strings.Fields(file.Schema().String()), " "); len(rows) != 1 || !strings.Contains(got, want) {
			t.Errorf("%s: got %d rows of %s, want %s", list, len(rows), got, want)
		}
	}
}

func TestDamagedBytesAreRefusedForGood(t *testing.T) {
	refused := func(what string, b []byte) {
		t.Helper()
		if _, err := parquet.Format().Content(b, s3.Packing{Compression: s3.None}); err == nil || !runtime.IsPermanent(err) || !strings.Contains(err.Error(), "damaged") {
			t.Errorf("%s: got %v, want it to be damaged, and permanent", what, err)
		}
	}
	for _, b := range stock(t, "conn").batches {
		n, size := binary.Uvarint(b.Bytes)
		for end := range size + int(n) {
			if end%37 == 0 {
				refused("a cut head", b.Bytes[:end])
			}
		}
		for end := size + int(n) + 1; b.Rows == 1 && end < len(b.Bytes); end++ { // between rows it would be fewer of them
			refused("a cut row", b.Bytes[:end])
		}
	}
	for _, head := range []string{
		"", "{}", "[]", `{"columns":[]}`,
		columns(`{"name":"a","kind":"nothing"}`), columns(`{"name":"a"}`), columns(`{"name":"a","kind":"constant"}`),
		columns(`{"name":"","kind":"uint"}`), columns(`{"name":"a.","kind":"uint"}`), columns(`{"name":".a","kind":"uint"}`),
		columns(`{"name":"a","kind":"uint"},{"name":"a","kind":"uint"}`), columns(`{"name":"a","kind":"uint"},{"name":"a.b","kind":"uint"}`),
		columns(`{"name":"a.b","kind":"uint"},{"name":"a","kind":"uint"}`), columns(`{"name":"a.b","kind":"uint"},{"name":"c","kind":"uint"},{"name":"a.d","kind":"uint"}`),
		columns(`{"name":"a","kind":"top"}`), columns(`{"name":"a","kind":"top","of":"top"}`), columns(`{"name":"a","kind":"buckets","of":"string"}`), columns(`{"name":"a","kind":"uint","of":"uint"}`),
		columns(`{"name":"` + strings.Repeat("a.", 16) + `a","kind":"uint"}`), columns(strings.Repeat(`{"name":"a","kind":"uint"},`, 4096) + `{"name":"b","kind":"uint"}`),
	} {
		refused(head[:min(len(head), 80)], batch(head, "\x01\x01\x01\x01"))
	}
	for list, rows := range map[string]string{
		`{"name":"a","kind":"bool"}`:                                "\x02",
		`{"name":"a","kind":"uint","null":true}`:                    "\x02\x01",
		`{"name":"a","kind":"uint"}`:                                "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02",
		`{"name":"a","kind":"string"}`:                              "\x05abcd",
		`{"name":"a","kind":"strings"}`:                             "\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
		`{"name":"a","kind":"time"}`:                                "1234567",
		`{"name":"a","kind":"quantiles"}`:                           "1234567812345678123456781234567",
		`{"name":"a","kind":"buckets","of":"uint"}`:                 "\xff\xff\xff\xff\xff\xff\xff\xff\x7f\x00\x01",
		`{"name":"a","kind":"top","of":"string","null":true}`:       "\x01\x02\x01\x01x\x01\x00",
		`{"name":"a.0","kind":"uint"},{"name":"a.1","kind":"uint"}`: "\x01\x01\x01",
	} {
		refused(list, batch(columns(list), rows))
	}
}

// Whatever bytes there are, they are a file that can be read, or are refused.
func FuzzContent(f *testing.F) {
	for _, grain := range []string{"exec", "conn"} {
		for _, b := range stock(f, grain).batches {
			f.Add(b.Bytes)
		}
	}
	f.Add(batch(columns(`{"name":"a.0.b","kind":"strings","null":true},{"name":"a.1.b","kind":"strings","null":true}`), "\x01\x04x\x00y\x00\x00\x01\x00\x01\x01\xff"))
	f.Add(batch(columns(`{"name":"a.0","kind":"top","of":"float","null":true},{"name":"a.1","kind":"top","of":"float","null":true}`), "\x01\x02\x0112345678\x05\x00\x00\x01\x01\x00"))
	f.Add(batch(columns(`{"name":"q","kind":"quantiles","null":true},{"name":"b","kind":"buckets","of":"int"},{"name":"c","kind":"constant","value":"\xff"}`), "\x00\x01\x01\x05\x07"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := parquet.Format().Content(b, s3.Packing{Compression: s3.Zstd, Foldered: len(b)%2 == 0}); err != nil {
			if !runtime.IsPermanent(err) {
				t.Errorf("got %v, want it to be permanent", err)
			}
			return
		}
		opened(t, b)
	})
}
