// SPDX-License-Identifier: Apache-2.0

package kafka_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/runtimetest"
	"github.com/redsift/ingraind/runtime/sink/kafka"
)

// write writes a file, in a folder of the test's when it has no other.
func write(t *testing.T, name, text string) string {
	t.Helper()
	if !filepath.IsAbs(name) {
		name = filepath.Join(t.TempDir(), name)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestMistakesInSettingsAreSaid(t *testing.T) {
	t.Setenv("KAFKA_PASSWORD", "")
	dir := t.TempDir()
	empty, two, none := write(t, dir+"/empty", "\n"), write(t, dir+"/two", "s3cret\ns3cret\n"), filepath.Join(dir, "none")
	for _, c := range []struct{ settings, want string }{
		{"brokers=", "brokers: the kafka sink needs some, such as kafka.example.com:9092; KAFKA_BROKERS may name them as well"},
		{"brokers=a", "brokers: number 1 is no host and port such as kafka.example.com:9092"},
		{"brokers=a:1,kafka://me:s3cret@b:1", "brokers: number 2 is no host and port such as kafka.example.com:9092"},
		{"brokers=a:0", "brokers: number 1 is no host and port such as kafka.example.com:9092"},
		{"brokers=a:1,b:http", "brokers: number 2 is no host and port such as kafka.example.com:9092"},
		{"topic=", `topic: "" is no name of a topic: want up to 249 letters, digits, dots, underscores and hyphens, such as ingraind.{grain}`},
		{"topic=a/b", `topic: "a/b" is no name of a topic: want up to 249 letters, digits, dots, underscores and hyphens, such as ingraind.{grain}`},
		{"topic=..", `topic: ".." is no name of a topic: want up to 249 letters, digits, dots, underscores and hyphens, such as ingraind.{grain}`},
		{"topic={host}", "topic: {host} is none of {grain}, {event}"},
		{"topic={grain", `topic: in "{grain" what follows a { is no name and }`},
		{"topic=a}", `topic: in "a}" a } has no { before it`},
		{"key={}", `key: in "{}" what follows a { is no name and }`},
		{"key={who.pid}}", `key: in "{who.pid}}" a } has no { before it`},
		{"acks=2", `acks: "2" is none of all, leader, none`},
		{"compression=brotli", `compression: "brotli" is none of zstd, lz4, snappy, gzip, none`},
		{"client_id=", "client_id: want one of up to 249 characters, such as ingraind"},
		{"create_topics=maybe", `create_topics: "maybe" is neither true nor false`},
		{"max_size=1KiB", "max_size: want from 4KiB to 100MB"},
		{"max_size=1GB", "max_size: want from 4KiB to 100MB"},
		{"max_size=large", `max_size: "large" is no amount of bytes such as 512B, 64KiB or 5MB`},
		{"timeout=long", `timeout: "long" is no duration such as 10s or 24h`},
		{"tls=on", `tls: "on" is neither true nor false`},
		{"tls=true ca_file=" + empty, "ca_file: there is no certificate in " + empty + "; want PEM, which begins with -----BEGIN CERTIFICATE-----"},
		{"cert_file=" + empty, "tls: it is false, and ca_file, cert_file and key_file are for true"},
		{"tls=true cert_file=" + empty, "cert_file: it and key_file are of use only together"},
		{"sasl=kerberos", `sasl: "kerberos" is none of none, plain, scram-sha-256, scram-sha-512`},
		{"user=me", "sasl: user and password_file are for plain, scram-sha-256 or scram-sha-512"},
		{"sasl=plain", "user: sasl=plain wants one"},
		{"sasl=SCRAM-SHA-512 user=me", "password_file: sasl=SCRAM-SHA-512 wants one, or a password in the variable KAFKA_PASSWORD"},
		{"sasl=plain user=me password_file=" + empty, "password_file: want one line in " + empty + ", the password"},
		{"sasl=plain user=me password_file=" + two, "password_file: want one line in " + two + ", the password"},
		{"sasl=plain user=me password_file=" + none, "password_file: stat " + none + ": no such file or directory"},
		{"sasl=plain user=me password_file=" + dir, "password_file: " + dir + " is no regular file"},
	} {
		if _, err := tryOpen(append([]string{"brokers=a:1"}, strings.Split(c.settings, " ")...)...); err == nil || err.Error() != c.want {
			t.Errorf("%s: got %v, want %s", c.settings, err, c.want)
		}
	}
	if _, err := tryOpen("acks=x", "timeout=x"); err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("got %v, want three mistakes at once", err)
	}
	if s, err := tryOpen("brokers=[::1]:9092, b.example.com:9093", "timeout=1ms", "max_size=100MB", "key={a}{b.c}", "topic=a-{grain}_{event}.B"); err != nil {
		t.Error(err)
	} else if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestTheEnvironmentTurnsItOn(t *testing.T) {
	set := map[string]string{
		"KAFKA_BROKERS": "a:1", "KAFKA_TOPIC": "t", "KAFKA_TLS": "true", "KAFKA_SASL": "plain", "KAFKA_USER": "me", "KAFKA_PASSWORD": "s3cret",
	}
	asked := map[string]bool{"KAFKA_PASSWORD": true} // not in a setting, for those are shown
	got, on := kafka.Part().Environ(func(name string) string { asked[name] = true; return set[name] })
	want := runtime.Settings{"brokers": "a:1", "topic": "t", "tls": "true", "sasl": "plain", "user": "me"}
	if diff := cmp.Diff(want, got); diff != "" || !on {
		t.Errorf("on %t, -want +got:\n%s", on, diff)
	}
	for _, v := range kafka.Part().Variables {
		if !asked[v.Name] {
			t.Errorf("%s is listed and not heeded", v.Name)
		}
		delete(asked, v.Name)
	}
	if len(asked) > 0 {
		t.Errorf("heeded and not listed: %v", asked)
	}
	if got, on := kafka.Part().Environ(func(string) string { return "" }); on || len(got) > 0 {
		t.Errorf("without variables: got %v, %v", got, on)
	}
}

func TestTheConfigurationOfTheDocumentIsTaken(t *testing.T) {
	asked := runtimetest.SinkPage(t, kafka.Part(), "../../../docs/sinks/kafka.md", "testdata/config.yaml")
	if asked["password_file"] == "" {
		t.Errorf("got %q, want a password", asked)
	}
	asked["password_file"] = write(t, "password", "s3cret\n")
	s, err := kafka.Part().Open(asked)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// What an agent with this sink prints of licences has those of each module that
// the sink brings, as they came with the version that go.mod names.
func TestLicencesAreThoseOfTheModules(t *testing.T) {
	modules := func(pkg string) map[string]string {
		out, err := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Dir}}{{end}}{{end}}", pkg).Output()
		if err != nil {
			t.Fatal(err)
		}
		dirs := map[string]string{}
		for line := range strings.Lines(string(out)) {
			if path, dir, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
				dirs[path] = dir
			}
		}
		return dirs
	}
	everybodys := modules("../../agent")
	brought := 0
	for path, dir := range modules(".") {
		if everybodys[path] != "" {
			continue
		}
		brought++
		text, err := os.ReadFile(filepath.Join(dir, "LICENSE"))
		if err != nil {
			t.Fatal(err)
		}
		head := "\n==== " + strings.ReplaceAll(path, "/", "-") + " ====\n\n"
		if !strings.Contains(kafka.Part().Licences, head+string(text)) {
			t.Errorf("the licence of %s is not among those of the sink: copy it below %q", path, head)
		}
		for _, more := range []string{"NOTICE", "PATENTS"} {
			if _, err := os.Stat(filepath.Join(dir, more)); err == nil {
				t.Errorf("%s has a %s as well: copy it", path, more)
			}
		}
	}
	if brought < 3 {
		t.Errorf("got %d modules, want several", brought)
	}
}
