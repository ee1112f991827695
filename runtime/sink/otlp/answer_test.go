// SPDX-License-Identifier: Apache-2.0

package otlp_test

import (
	"encoding/base64"
	"io"
	nethttp "net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	rpc "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/sinktest"
)

// partial is an answer that refuses n, by hand: field 1, of fields 1 and 2.
func partial(n byte, said string) string {
	inner := "\x08" + string(n) + "\x12" + string(byte(len(said))) + said
	return "\x0a" + string(byte(len(inner))) + inner
}

// answers starts a server that speaks both versions of HTTP.
func answers(t *testing.T, protocol string, handle nethttp.HandlerFunc) runtime.Sink {
	t.Helper()
	server := httptest.NewUnstartedServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		handle(w, r)
	}))
	server.Config.Protocols = new(nethttp.Protocols)
	server.Config.Protocols.SetHTTP1(true)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	t.Cleanup(server.Close)
	return open(t, "endpoint="+server.URL, "protocol="+protocol, "headers=authorization=Bearer%20s3cretword")
}

func oneRow(sink runtime.Sink) *runtime.Batch {
	return batch(sink, sinktest.NewNumbers().Row(1))
}

// fate is what becomes of a batch.
func fate(err error) string {
	after, asked := runtime.RetryIn(err)
	switch {
	case err == nil:
		return "taken"
	case runtime.IsPermanent(err):
		return "permanent"
	case asked:
		return "after " + after.String()
	}
	return "again"
}

func TestAnswersOverHTTPMeanWhatOTLPSays(t *testing.T) {
	for _, c := range []struct {
		code             int
		kind, body, wait string
		fate, says       string
	}{
		{200, "application/x-protobuf", "", "", "taken", ""},
		{200, "application/x-protobuf", partial(0, "beware"), "", "taken", ""},
		{200, "application/x-protobuf", partial(3, "too old s3cretword"), "", "permanent", `but for 3 log records: it says "too old ..."`},
		{202, "text/html", "\x0a\x02\x08\x03", "", "taken", ""},
		{301, "", "", "", "again", "set endpoint"},
		{400, "application/x-protobuf", "\x12\x03bad", "", "permanent", `400 Bad Request: it says "bad"`},
		{401, "", "", "", "again", "headers_file"},
		{403, "", "", "", "again", "headers_file"},
		{404, "", "no such page", "", "permanent", "no such page"},
		{408, "", "", "", "again", ""},
		{413, "", "", "", "permanent", ""},
		{429, "", "", "7", "after 7s", ""},
		{429, "", "", "", "again", ""},
		{500, "", "", "", "permanent", ""},
		{502, "", "", "", "again", ""},
		{503, "", "", "2", "after 2s", ""},
		{504, "", "", "", "again", ""},
	} {
		sink := answers(t, "http/protobuf", func(w nethttp.ResponseWriter, _ *nethttp.Request) {
			w.Header().Set("Content-Type", c.kind)
			if c.wait != "" {
				w.Header().Set("Retry-After", c.wait)
			}
			w.WriteHeader(c.code)
			_, _ = io.WriteString(w, c.body)
		})
		err := sink.Ship(t.Context(), oneRow(sink))
		if fate(err) != c.fate || err != nil && (!strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "s3cret")) {
			t.Errorf("%d %q: got %s, %v; want %s, %q", c.code, c.body, fate(err), err, c.fate, c.says)
		}
	}
}

func TestStatusesOfGRPCMeanWhatOTLPSays(t *testing.T) {
	detail, err := anypb.New(&errdetails.RetryInfo{RetryDelay: durationpb.New(2500 * time.Millisecond)})
	if err != nil {
		t.Fatal(err)
	}
	packed, err := proto.Marshal(&rpc.Status{Code: 8, Message: "full", Details: []*anypb.Any{detail}})
	if err != nil {
		t.Fatal(err)
	}
	retry := base64.StdEncoding.EncodeToString(packed)
	for code := range 17 {
		for _, details := range []string{"", retry} {
			for _, headOnly := range []bool{false, true} {
				want := "permanent"
				switch code {
				case 0:
					want = "taken"
				case 7, 16:
					want = "again"
				case 1, 4, 10, 11, 14, 15:
					want = "again"
					if details != "" {
						want = "after 2.5s"
					}
				case 8:
					if details != "" {
						want = "after 2.5s"
					}
				}
				sink := answers(t, "grpc", func(w nethttp.ResponseWriter, r *nethttp.Request) {
					if r.ProtoMajor != 2 || r.Header.Get("Te") != "trailers" || r.Header.Get("Content-Type") != "application/grpc" {
						t.Errorf("got %s %v", r.Proto, r.Header)
					}
					prefix := nethttp.TrailerPrefix
					if headOnly {
						prefix = ""
					} else {
						w.Header().Set("Content-Type", "application/grpc")
						_, _ = w.Write(make([]byte, 5))
					}
					w.Header().Set(prefix+"Grpc-Status", strconv.Itoa(code))
					w.Header().Set(prefix+"Grpc-Message", "so%20s3cretword")
					if details != "" {
						w.Header().Set(prefix+"Grpc-Status-Details-Bin", details)
					}
				})
				err := sink.Ship(t.Context(), oneRow(sink))
				if fate(err) != want || err != nil && strings.Contains(err.Error(), "s3cret") {
					t.Errorf("%d: got %s, %v; want %s", code, fate(err), err, want)
				}
				if want == "permanent" && !strings.Contains(err.Error(), `it says "so ..."`) {
					t.Errorf("%d: got %v, want what the receiver says", code, err)
				}
			}
		}
	}
}

func TestPartialSuccessOverGRPCEndsABatch(t *testing.T) {
	sink := answers(t, "grpc", func(w nethttp.ResponseWriter, _ *nethttp.Request) {
		message := partial(2, "no")
		_, _ = io.WriteString(w, "\x00\x00\x00\x00"+string(byte(len(message)))+message)
		w.Header().Set(nethttp.TrailerPrefix+"Grpc-Status", "0")
	})
	if err := sink.Ship(t.Context(), oneRow(sink)); fate(err) != "permanent" || !strings.Contains(err.Error(), "but for 2 log records") {
		t.Errorf("got %v", err)
	}
}

func TestAServerThatSpeaksNoGRPCIsNamed(t *testing.T) {
	for code, want := range map[int]string{200: "again", 404: "permanent", 503: "again", 401: "again"} {
		sink := answers(t, "grpc", func(w nethttp.ResponseWriter, _ *nethttp.Request) { w.WriteHeader(code) })
		if err := sink.Ship(t.Context(), oneRow(sink)); fate(err) != want {
			t.Errorf("%d: got %v, want %s", code, err, want)
		}
	}
}

// What was taken of a batch does not come again with the rest of it.
func TestHalfOfABatchIsNotSentTwice(t *testing.T) {
	for _, first := range []int{200, 400} {
		posts := map[string]int{}
		busy := true
		sink := answers(t, "http/protobuf", func(w nethttp.ResponseWriter, r *nethttp.Request) {
			posts[r.URL.Path]++
			if r.Header.Get("Idempotency-Key") == "" {
				t.Error("no Idempotency-Key")
			}
			switch {
			case r.URL.Path == "/v1/logs":
				w.WriteHeader(first)
			case busy:
				w.WriteHeader(503)
			}
		})
		e, _ := all()
		both := batch(sink, sinktest.TableRow(e, false), sinktest.NewNumbers().Row(1), sinktest.TableRow(e, false))
		for range 2 {
			if err := sink.Ship(t.Context(), both); fate(err) != "again" {
				t.Errorf("got %v", err)
			}
		}
		busy = false
		want := map[int]string{200: "taken", 400: "permanent"}[first]
		if err := sink.Ship(t.Context(), both); fate(err) != want {
			t.Errorf("got %v, want %s", err, want)
		}
		if posts["/v1/logs"] != 1 || posts["/v1/metrics"] != 3 {
			t.Errorf("got %v, want the logs once and the metrics three times", posts)
		}
		// The name is forgotten when the batch is done with.
		if err := sink.Ship(t.Context(), both); fate(err) != want || posts["/v1/logs"] != 2 {
			t.Errorf("got %v, %v", err, posts)
		}
	}
}

func TestADamagedBatchIsNotRetried(t *testing.T) {
	sink := open(t)
	for _, b := range []string{"\x12", "\x12\x05ab", "\x08\x01", "\x0a\x00", "\x00"} {
		if err := sink.Ship(t.Context(), &runtime.Batch{Bytes: []byte(b)}); fate(err) != "permanent" {
			t.Errorf("%q: got %v", b, err)
		}
	}
}

func TestHeadersFileIsReadForEachRequest(t *testing.T) {
	var got []string
	server := httptest.NewServer(nethttp.HandlerFunc(func(_ nethttp.ResponseWriter, r *nethttp.Request) {
		got = append(got, r.Header.Get("Authorization")+" "+r.Header.Get("X-Team"))
	}))
	t.Cleanup(server.Close)
	file := filepath.Join(t.TempDir(), "headers")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("# mine\nAuthorization: Bearer one\n")
	sink := open(t, "endpoint="+server.URL, "headers=x-team=a%2Cb,authorization=none", "headers_file="+file)
	for _, text := range []string{"Authorization: Bearer one", "Authorization: Bearer two"} {
		write(text)
		if err := sink.Ship(t.Context(), oneRow(sink)); err != nil {
			t.Fatal(err)
		}
	}
	if strings.Join(got, "; ") != "Bearer one a,b; Bearer two a,b" {
		t.Errorf("got %q", got)
	}
}
