// SPDX-License-Identifier: Apache-2.0

package otlp_test

import (
	"encoding/pem"
	"io"
	"log"
	nethttp "net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/runtimetest"
	"github.com/redsift/ingraind/runtime/sink/otlp"
	"github.com/redsift/ingraind/runtime/sinktest"
)

func TestMistakesInSettingsAreNamed(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "headers")
	if err := os.WriteFile(bad, []byte("Good: 1\ns3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for setting, want := range map[string]string{
		"endpoint=otel:4317":                   "endpoint: want a URL that begins with https:// or http://, such as https://otel.example.com:4318",
		"endpoint=http://a:s3cret@b:1":         "endpoint: want no name, password, ? or # in it; credentials go into headers_file",
		"endpoint=http://b:1/?s3cret":          "endpoint: want no name, password, ? or # in it; credentials go into headers_file",
		"protocol=http/json":                   `protocol: "http/json" is neither http/protobuf nor grpc`,
		"compression=zstd":                     `compression: "zstd" is neither gzip nor none`,
		"headers=a=b,s3cret":                   "headers: number 2 is no name=value; write %2C for a comma in a value, %25 for a percent sign",
		"headers=a=s3cret%zz":                  "headers: number 1 is no name=value; write %2C for a comma in a value, %25 for a percent sign",
		"headers=a=s3cret%0a":                  "headers: number 1: this is no header; want a name and a value",
		"headers=content-type=s3cret":          "headers: number 1: Content-Type is not to be set, for it follows from the batch",
		"headers=grpc-timeout=1S":              "headers: number 1: Grpc-Timeout is not to be set, for it is gRPC's own",
		"headers_file=" + bad:                  "headers_file: number 2: this is no header; want a name and a value",
		"headers_file=" + dir:                  "headers_file: " + dir + " is no regular file",
		"service_name=":                        "service_name: want one, such as ingraind",
		"resource_attributes=a":                "resource_attributes: number 1 is no name=value; write %2C for a comma in a value, %25 for a percent sign",
		"resource_attributes=ingraind.batch=1": "resource_attributes: number 1: ingraind.batch is the batch's name, and not to be set",
		"timeout=soon":                         `timeout: "soon" is no duration such as 10s or 24h`,
		"ca_file=/none":                        "endpoint: ca_file, cert_file and key_file are for one that begins with https://",
	} {
		_, err := tryOpen(setting)
		if err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", setting, err, want)
		}
	}
	if _, err := tryOpen("protocol=grpc", "endpoint=http://a:1/path"); err == nil || !strings.Contains(err.Error(), "for grpc it has no path") {
		t.Errorf("got %v", err)
	}
}

func TestTheEnvironmentIsThatOfOpenTelemetry(t *testing.T) {
	set := map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT":           "https://c:4317",
		"OTEL_EXPORTER_OTLP_PROTOCOL":           "grpc",
		"OTEL_EXPORTER_OTLP_HEADERS":            "a=b",
		"OTEL_EXPORTER_OTLP_TIMEOUT":            "1500",
		"OTEL_EXPORTER_OTLP_COMPRESSION":        "none",
		"OTEL_EXPORTER_OTLP_CERTIFICATE":        "/ca",
		"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": "/cert",
		"OTEL_EXPORTER_OTLP_CLIENT_KEY":         "/key",
		"OTEL_RESOURCE_ATTRIBUTES":              "x=y",
		"OTEL_SERVICE_NAME":                     "s",
	}
	asked := map[string]bool{}
	got, on := otlp.Part().Environ(func(name string) string { asked[name] = true; return set[name] })
	want := runtime.Settings{"endpoint": "https://c:4317", "protocol": "grpc", "headers": "a=b", "timeout": "1500ms", "compression": "none",
		"ca_file": "/ca", "cert_file": "/cert", "key_file": "/key", "resource_attributes": "x=y", "service_name": "s"}
	if diff := cmp.Diff(want, got); diff != "" || !on {
		t.Errorf("on %t, -want +got:\n%s", on, diff)
	}
	for _, v := range otlp.Part().Variables {
		if !asked[v.Name] {
			t.Errorf("%s is listed and not heeded", v.Name)
		}
		delete(asked, v.Name)
	}
	if len(asked) > 0 {
		t.Errorf("heeded and not listed: %v", asked)
	}
	delete(set, "OTEL_EXPORTER_OTLP_ENDPOINT")
	if got, on := otlp.Part().Environ(func(name string) string { return set[name] }); on || got["protocol"] != "grpc" {
		t.Errorf("without an endpoint: got %v, %v", on, got)
	}
}

func TestTheResourceIsWhatWasAskedFor(t *testing.T) {
	r, url := receive(t)
	ship(t, open(t, "endpoint="+url, "resource_attributes=service.name=other,host.name=h,rack=7%2C8"), sinktest.NewNumbers().Row(1))
	ship(t, open(t, "endpoint="+url, "resource_attributes=service.name=other,host.name=h", "service_name=mine"), sinktest.NewNumbers().Row(1))
	if len(r.attrs) != 2 || !strings.HasPrefix(r.attrs[0], `service.name="other" host.name="h" rack="7,8" ingraind.batch=`) ||
		!strings.HasPrefix(r.attrs[1], `service.name="mine" host.name="h" ingraind.batch=`) {
		t.Errorf("got %q", r.attrs)
	}
}

func TestTLSIsThatOfTheSettings(t *testing.T) {
	for _, protocol := range []string{"http/protobuf", "grpc"} {
		server := httptest.NewUnstartedServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
			w.Header().Set(nethttp.TrailerPrefix+"Grpc-Status", "0")
			if major := map[string]int{"grpc": 2}[protocol]; major != 0 && r.ProtoMajor != major {
				t.Errorf("%s: got %s", protocol, r.Proto)
			}
		}))
		server.Config.ErrorLog = log.New(io.Discard, "", 0) // refused handshakes
		server.EnableHTTP2 = true
		server.StartTLS()
		t.Cleanup(server.Close)
		file := filepath.Join(t.TempDir(), "ca.pem")
		block := &pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		sink := open(t, "endpoint="+server.URL, "protocol="+protocol, "ca_file="+file)
		if err := sink.Ship(t.Context(), oneRow(sink)); err != nil {
			t.Errorf("%s: %v", protocol, err)
		}
		sink = open(t, "endpoint="+server.URL, "protocol="+protocol)
		if err := sink.Ship(t.Context(), oneRow(sink)); fate(err) != "again" || !strings.Contains(err.Error(), "certificate") {
			t.Errorf("%s: without ca_file: got %v", protocol, err)
		}
	}
}

func TestTheConfigurationOfTheDocumentIsTaken(t *testing.T) {
	asked := runtimetest.SinkPage(t, otlp.Part(), "../../../docs/sinks/otlp.md", "testdata/config.yaml")
	if asked["headers_file"] == "" {
		t.Errorf("got %q, want headers_file", asked)
	}
	asked["headers_file"] = filepath.Join(t.TempDir(), "headers")
	if err := os.WriteFile(asked["headers_file"], []byte("Authorization: Bearer t\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := otlp.Part().Open(asked); err != nil {
		t.Error(err)
	}
}
