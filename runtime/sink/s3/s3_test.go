// SPDX-License-Identifier: Apache-2.0

package s3_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/sink/s3"
	"github.com/redsift/ingraind/runtime/sink/s3/parquet"
)

func batch(name, lines string) *runtime.Batch {
	at := time.Date(2026, 11, 23, 12, 34, 56, 7, time.UTC)
	return &runtime.Batch{Name: name, Grain: "exec", Rows: strings.Count(lines, "\n"), Bytes: []byte(lines), First: at, Last: at}
}

func ship(t *testing.T, s runtime.Sink, b *runtime.Batch) {
	t.Helper()
	if err := s.Ship(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}

func TestObjectsAreWhereTheLayoutSays(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	const lines = "{\"n\":1}\n{\"n\":2}\n"
	for _, tls := range []bool{false, true} {
		g := newGateway(t, tls)
		want := map[string]string{
			"a/b/grain=exec/dt=2026-11-23/hour=12/" + host + "-00.ndjson.zst": lines,
			"grain=exec/dt=2026-11-23/hour=12/" + host + "-01.ndjson.gz":      lines,
			"x/" + host + "_1795437296000000007_02.json":                      "[{\"n\":1},\n{\"n\":2}]\n",
		}
		ship(t, g.open("prefix=/a/b/"), batch("00", lines))
		ship(t, g.open("compression=gzip", "storage_class=STANDARD_IA", "sse=AES256"), batch("01", lines))
		ship(t, g.open("prefix=x", "layout=flat", "format=json", "compression=none"), batch("02", lines))
		got := g.objects()
		for key, content := range want {
			if got[key] != content {
				t.Errorf("tls %v, %s: got %q, want %q", tls, key, got[key], content)
			}
		}
		if len(got) != len(want) {
			t.Errorf("got objects %q", got)
		}
		g.kill()
	}
}

func TestABatchThatIsThereIsNotWrittenAgain(t *testing.T) {
	g := newGateway(t, false)
	ship(t, g.open(), batch("00", "1\n"))
	ship(t, g.open(), batch("00", "2\n")) // another process
	for key, content := range g.objects() {
		if content != "1\n" {
			t.Errorf("%s: got %q, want what was put first", key, content)
		}
	}
}

// What is too large for one put is put in parts, and is there once as well.
func TestLargeObjectsArePutInParts(t *testing.T) {
	g := newGateway(t, false)
	large := strings.Repeat("{\"n\":1}\n", 20<<20/8)
	other := strings.Replace(large, "1", "2", 1)
	sink := g.open("compression=none", "object_size=32MiB")
	ship(t, sink, batch("00", large))
	ship(t, g.open("compression=none"), batch("00", other)) // another process
	ship(t, g.open("layout=flat", "compression=none"), batch("01", other))
	got := g.objects()
	want := []string{large, other}
	if len(got) != len(want) {
		t.Fatalf("got %d objects, want %d", len(got), len(want))
	}
	for key, content := range got {
		if i := slices.Index(want, content); i < 0 {
			t.Errorf("%s: got %d bytes that were not put so", key, len(content))
		}
	}
	if left, err := filepath.Glob(filepath.Join(g.dir, "data/rows/.sgwtmp/multipart/*/*")); err != nil || len(left) > 0 {
		t.Errorf("got parts %q and error %v, want none left", left, err)
	}
}

// Rows by the thousand, in objects of a size that somebody set.
func TestObjectsAreOfTheirSize(t *testing.T) {
	g := newGateway(t, false)
	lanes := runtime.NewLanes(runtime.NewLane(runtime.LaneOptions{Name: "s3", Sink: g.open("object_size=300KiB", "compression=none"), Limit: 32 << 20}))
	grain, n := &runtime.Grain{Name: "numbers"}, uint64(0)
	event := &runtime.Event{Stream: true, AppendJSON: func(dst []byte, _ runtime.Record) []byte {
		n++
		return append(runtime.AppendUint(append(dst, `{"n":`...), n), '}')
	}}
	const rows = 100_000
	for range rows {
		lanes.Add(&runtime.Row{Grain: grain, Event: event})
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := lanes.Close(ctx); err != nil {
		t.Fatal(err)
	}
	full, lines := 0, 0
	for key, content := range g.objects() {
		lines += strings.Count(content, "\n")
		switch {
		case len(content) > 300<<10:
			t.Errorf("%s: got %d bytes, want at most 300 KiB", key, len(content))
		case len(content) > 300<<10-20:
			full++
		}
	}
	if lines != rows || full != 3 { // 1.19 MB of rows
		t.Errorf("got %d rows and %d full objects, want %d and 3", lines, full, rows)
	}
}

func TestRefusalsSayWhatToDo(t *testing.T) {
	g := newGateway(t, false)
	create := exec.Command(g.args[0], "admin", "-a", "test", "-s", "testsecret", "-er", "http://"+g.admin,
		"create-user", "--access", "ro", "--secret", "rosecret", "--role", "user")
	if out, err := create.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, c := range []struct{ key, secret, bucket, want string }{
		{"test", "testsecret", "no-such", "bucket no-such: the server answers 404 NoSuchBucket: there is no such bucket: make it, or set bucket to another"},
		{"test", "wrong", "rows", "bucket rows: the server answers 403 SignatureDoesNotMatch: the secret is not that of the key: look at AWS_SECRET_ACCESS_KEY"},
		{"nobody", "wrong", "rows", "bucket rows: the server answers 403 InvalidAccessKeyId: the server does not know the key: look at AWS_ACCESS_KEY_ID"},
		{"ro", "rosecret", "rows", "bucket rows: the server answers 403 AccessDenied: these credentials need s3:PutObject on it"},
	} {
		g.credentials(c.key, c.secret)
		err := g.open("bucket="+c.bucket).Ship(t.Context(), batch("00", "1\n"))
		if err == nil || err.Error() != c.want || runtime.IsPermanent(err) {
			t.Errorf("got %v, permanent %v, want to try again after %s", err, runtime.IsPermanent(err), c.want)
		}
	}
}

func TestAnswersAreJudgedByStatusAndCode(t *testing.T) {
	t.Setenv("AWS_CA_BUNDLE", "")
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "testsecret")
	for _, c := range []struct {
		status    int
		code      string
		permanent bool
	}{
		{400, "EntityTooLarge", true},
		{400, "KeyTooLongError", true},
		{400, "InvalidStorageClass", true},
		{501, "NotImplemented", true},
		{400, "BadDigest", false},
		{400, "ExpiredToken", false},
		{301, "PermanentRedirect", false},
		{409, "ConditionalRequestConflict", false},
		{500, "InternalError", false},
		{503, "SlowDown", false},
	} {
		url := answering(t, c.status, "<Error><Code>"+c.code+"</Code></Error>", "Retry-After", "7")
		s, err := tryOpen("bucket=rows", "endpoint="+url)
		if err != nil {
			t.Fatal(err)
		}
		err = s.Ship(t.Context(), batch("00", "1\n"))
		if want := fmt.Sprintf("%d %s", c.status, c.code); err == nil || !strings.Contains(err.Error(), want) || runtime.IsPermanent(err) != c.permanent {
			t.Errorf("got %v, permanent %v, want %s, %v", err, runtime.IsPermanent(err), want, c.permanent)
		}
		if after, ok := runtime.RetryIn(err); ok == c.permanent || ok && after != 7*time.Second {
			t.Errorf("%s: to be tried after %v, %v", c.code, after, ok)
		}
	}
}

func TestMistakesInSettingsAreSaid(t *testing.T) {
	for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_CONFIG_FILE", os.DevNull)
	for _, c := range []struct{ settings, want string }{
		{"bucket=", "bucket: the s3 sink needs one; AWS_BUCKET may name it as well"},
		{"region=", "region: it is not set, and neither is AWS_REGION: want one such as eu-west-2"},
		{"layout=deep", `layout: "deep" is neither hive nor flat`},
		{"format=csv", `format: "csv" is neither ndjson nor json`},
		{"format=parquet", "format: this agent has no parquet: list s3/parquet in its agent.yaml, in place of s3"},
		{"compression=lz4", `compression: "lz4" is none of zstd, gzip, none`},
		{"sse=none", `sse: "none" is neither AES256 nor aws:kms`},
		{"kms_key=k", "kms_key: it needs sse=aws:kms"},
		{"path_style=no way", `path_style: "no way" is none of auto, true, false`},
		{"timeout=1", `timeout: "1" is no duration such as 10s or 24h`},
		{"endpoint=localhost", "endpoint: it is no URL such as https://s3.example.com"},
		{"endpoint=http://a:secret@localhost", "endpoint: it holds a user: credentials belong into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"},
	} {
		if _, err := tryOpen("bucket=rows", c.settings); err == nil || err.Error() != c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
	if _, err := openPart(parquet.Part(), "bucket=rows", "format=csv"); err == nil || !strings.Contains(err.Error(), `format: "csv" is none of ndjson, json, parquet`) {
		t.Errorf("got %v of an agent that has parquet", err)
	}
}

func TestEnvironmentTurnsItOn(t *testing.T) {
	for _, name := range []string{"AWS_BUCKET", "AWS_S3_BUCKET"} {
		environment := map[string]string{name: "rows", "AWS_INTERVAL": "20"}
		s, on := s3.Part().Environ(func(name string) string { return environment[name] })
		if !on || s["bucket"] != "rows" || s["interval"] != "20s" || len(s) != 2 {
			t.Errorf("%s: got %v, %v", name, s, on)
		}
	}
	if _, on := s3.Part().Environ(func(string) string { return "" }); on {
		t.Error("it is on without a bucket")
	}
}

func TestEveryNumberArrivesOnce(t *testing.T) {
	for _, tls := range []bool{false, true} {
		t.Run(fmt.Sprintf("tls %v", tls), func(t *testing.T) { everyNumberArrivesOnce(t, newGateway(t, tls)) })
	}
}

// putBack brings back a bucket that was renamed. The server may have made it
// anew meanwhile, for a request that was under way: what is in there goes along.
func putBack(bucket string) error {
	away := bucket + "-away"
	for range 100 {
		if err := os.Rename(away, bucket); err == nil || !errors.Is(err, syscall.EEXIST) && !errors.Is(err, syscall.ENOTEMPTY) {
			return err
		}
		err := filepath.WalkDir(bucket, func(path string, d fs.DirEntry, err error) error {
			to := away + strings.TrimPrefix(path, bucket)
			if err == nil && d.IsDir() {
				return os.MkdirAll(to, 0o755)
			}
			return errors.Join(err, os.Rename(path, to))
		})
		if err := errors.Join(err, os.RemoveAll(bucket)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return errors.New("the server makes the bucket again and again")
}

// everyNumberArrivesOnce ships numbered rows while the server is killed, is
// away, stands still beyond the timeout, and refuses, as its bucket is away.
func everyNumberArrivesOnce(t *testing.T, g *gateway) {
	const rows = 100_000
	spool, err := runtime.OpenSpool(runtime.SpoolOptions{Dir: filepath.Join(t.TempDir(), "s3"), Always: true})
	if err != nil {
		t.Fatal(err)
	}
	said := "" // read when the lane has ended
	lanes := runtime.NewLanes(runtime.NewLane(runtime.LaneOptions{
		Name: "s3", Sink: g.open("timeout=500ms", "object_size=64KiB"), Spool: spool, Log: func(err error) { t.Log(err); said += err.Error() + "\n" },
	}))
	grain := &runtime.Grain{Name: "numbers"}
	n, met := uint64(0), uint64(0)
	event := &runtime.Event{Stream: true, AppendJSON: func(dst []byte, _ runtime.Record) []byte {
		dst = append(runtime.AppendUint(append(dst, `{"n":`...), n), `,"why":"rows of some length make more objects"}`...)
		n++
		return dst
	}}
	bucket := filepath.Join(g.dir, "data/rows")
	for i := range rows {
		switch i {
		case rows / 5:
			g.kill()
		case 2 * rows / 5:
			g.start()
		case 3 * rows / 5:
			syscall.Kill(g.cmd.Process.Pid, syscall.SIGSTOP)
			met = lanes.Books()[0].Retries
		case 7 * rows / 10:
			for end := time.Now().Add(20 * time.Second); time.Now().Before(end) && lanes.Books()[0].Retries < met+3; {
				time.Sleep(10 * time.Millisecond)
			}
			syscall.Kill(g.cmd.Process.Pid, syscall.SIGCONT)
		case 4 * rows / 5:
			err = os.Rename(bucket, bucket+"-away")
			met = lanes.Books()[0].Retries
		case 9 * rows / 10:
			for end := time.Now().Add(20 * time.Second); time.Now().Before(end) && lanes.Books()[0].Retries < met+3; {
				time.Sleep(10 * time.Millisecond)
			}
			err = errors.Join(err, putBack(bucket))
		}
		if i%500 == 0 {
			time.Sleep(5 * time.Millisecond)
		}
		lanes.Add(&runtime.Row{Grain: grain, Event: event})
	}
	if err != nil {
		t.Fatal(err)
	}
	lanes.Tick(time.Now().Add(time.Minute)) // what is being filled is old
	for end := time.Now().Add(40 * time.Second); time.Now().Before(end) && lanes.Books()[0].Shipped < rows; {
		time.Sleep(100 * time.Millisecond)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := lanes.Close(ctx); err != nil {
		t.Error(err)
	}
	if b := lanes.Books()[0]; b.Shipped != rows || b.Dropped != 0 || b.Retries == 0 {
		t.Errorf("got %+v, want %d rows shipped after retries", b, rows)
	}
	for _, want := range []string{"connection refused", "no answer after timeout=500ms", "404 NoSuchBucket"} {
		if !strings.Contains(said, want) {
			t.Errorf("nobody was told %q; got:\n%s", want, said)
		}
	}
	seen := make([]int, rows)
	for key, content := range g.objects() {
		if !strings.HasPrefix(key, "grain=numbers/dt=1970-01-01/hour=00/") {
			t.Errorf("got key %s", key)
		}
		for line := range strings.Lines(content) {
			var row struct{ N int }
			if err := json.Unmarshal([]byte(line), &row); err != nil {
				t.Fatal(err)
			}
			seen[row.N]++
		}
	}
	for n, times := range seen {
		if times != 1 {
			t.Fatalf("number %d is there %d times", n, times)
		}
	}
}
