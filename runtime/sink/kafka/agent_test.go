// SPDX-License-Identifier: Apache-2.0

package kafka_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/redsift/ingraind/runtime/sink/kafka"
)

// agents are examples/ship as it is shipped, with this sink instead of s3, and
// with neither.
func agents(t *testing.T) (with, without string) {
	t.Helper()
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	ship, err := os.ReadFile(root + "/examples/ship/generated/ship/main.go")
	if err != nil {
		t.Fatal(err)
	}
	built := func(name string, changes ...string) string {
		t.Helper()
		source := strings.NewReplacer(changes...).Replace(string(ship))
		if strings.Contains(source, "s3") {
			t.Fatalf("examples/ship is another:\n%s", source)
		}
		dir := t.TempDir()
		overlay, err := json.Marshal(map[string]map[string]string{"Replace": {
			root + "/examples/ship/generated/" + name + "/main.go": write(t, dir+"/main.go", source),
		}})
		if err != nil {
			t.Fatal(err)
		}
		c := exec.Command("go", "build", "-overlay", write(t, dir+"/overlay", string(overlay)), "-trimpath", "-ldflags=-s -w", "-o", dir+"/ship", "./examples/ship/generated/"+name)
		c.Dir, c.Env = root, append(os.Environ(), "CGO_ENABLED=0")
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return dir + "/ship"
	}
	with = built("with", "runtime/sink/s3/parquet", "runtime/sink/kafka", "parquet.Part()", "kafka.Part()", "S3", "Kafka")
	without = built("without", `"github.com/redsift/ingraind/runtime/sink/s3/parquet"`, "", "parquet.Part(),", "", "S3", "no")
	return with, without
}

func TestTheSinkMakesAnAgentAtMost8MBLarger(t *testing.T) {
	const most = 8e6
	with, without := agents(t)
	size := func(file string) float64 {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		return float64(info.Size())
	}
	more := size(with) - size(without)
	t.Logf("%.2f MB with the sink, %.2f MB without: %.2f MB", size(with)/1e6, size(without)/1e6, more/1e6)
	if more > most {
		t.Errorf("the sink makes it %.2f MB larger, want at most %.0f", more/1e6, most/1e6)
	}
}

// The agent is turned on by the environment, watches this machine, and says
// nothing of its password. It needs root.
func TestAnAgentThatHasItProducesWhatItSees(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Fatal("this test runs an agent: run it as root")
	}
	agent, _ := agents(t)
	_, brokers := cluster(t, kfake.SeedTopics(1, "exec.exec", "exec.exit", "exec.starts", "exec.ends"), kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-256", "me", "s3cret-word"))
	mark := fmt.Sprint("kafka-", os.Getpid(), "-")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, agent, "-v", "-sink", "kafka:topic={grain}.{event},key={who.comm},spool=none")
	c.Env = append(os.Environ(), "KAFKA_BROKERS="+brokers, "KAFKA_SASL=scram-sha-256", "KAFKA_USER=me", "KAFKA_PASSWORD=s3cret-word")
	var said strings.Builder
	c.Stdout, c.Stderr = &said, &said
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	// Not kcat, which finds the fake broker's SASL too new.
	reader, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(brokers, ",")...), kgo.ConsumeTopics("exec.exec"), kgo.SASL(scram.Auth{User: "me", Pass: "s3cret-word"}.AsSha256Mechanism()))
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	n := map[string]int{} // rows, by the last argument
	poll := func() {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		reader.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
			var row struct{ Args []string }
			if err := json.Unmarshal(r.Value, &row); err != nil {
				t.Errorf("%v: %s", err, r.Value)
			} else if string(r.Key) == "true" && len(row.Args) == 2 {
				n[row.Args[1]]++
			}
		})
	}
	run := func(argument string) {
		if err := exec.Command("/bin/true", argument).Run(); err != nil {
			t.Fatal(err)
		}
	}
	for n[mark] == 0 { // until it watches
		if ctx.Err() != nil {
			t.Fatalf("no row came in a minute; the agent said:\n%s", said.String())
		}
		run(mark)
		poll()
	}
	for i := range 10 {
		run(fmt.Sprint(mark, i))
	}
	time.Sleep(500 * time.Millisecond) // for the agent to read them
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil {
		t.Fatalf("%v; the agent said:\n%s", err, said.String())
	}
	until(t, "the last row", func() bool { poll(); return n[mark+"9"] > 0 })
	for i := range 10 {
		if got := n[fmt.Sprint(mark, i)]; got != 1 {
			t.Errorf("got %d rows of program %d, want 1", got, i)
		}
	}
	list, err := exec.Command(agent, "list").CombinedOutput()
	if err != nil || !strings.Contains(string(list), "kafka") {
		t.Errorf("list: got %v\n%s", err, list)
	}
	if strings.Contains(said.String(), "s3cret") || strings.Contains(string(list), "s3cret") {
		t.Errorf("the password is in what the agent says:\n%s", said.String())
	}
	licences, err := exec.Command(agent, "version", "-licences").Output()
	if err != nil || !strings.HasSuffix(string(licences), kafka.Part().Licences) {
		t.Errorf("version -licences: got %v, and not the sink's at its end", err)
	}
}
