// SPDX-License-Identifier: Apache-2.0

package kafka_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/redsift/ingraind/runtime"
)

// record is a record as kcat shows it.
type record struct {
	Topic     string
	Partition int
	TS        int64
	Key       *string
	Payload   string
	Headers   []string
}

// records are those of a topic.
func records(t *testing.T, brokers, topic string) (all []record) {
	t.Helper()
	for line := range strings.Lines(kcat(t, "-b", brokers, "-C", "-t", topic, "-o", "beginning", "-e", "-q", "-J")) {
		var r record
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		all = append(all, r)
	}
	return all
}

func ship(t *testing.T, s runtime.Sink, b *runtime.Batch) {
	t.Helper()
	if err := s.Ship(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}

func TestARecordIsWhatTheDocumentSays(t *testing.T) {
	_, brokers := cluster(t, kfake.SeedTopics(1, "one.g"))
	for _, compression := range []string{"zstd", "lz4", "snappy", "gzip", "none"} {
		name := compression + "-0123"
		s := open(t, "brokers="+brokers, "topic=one.{grain}", "hostname=h.example", "key={host}/{n}", "compression="+compression)
		ship(t, s, batch(s, name, 0, 3))
		all := records(t, brokers, "one.g")
		got := all[len(all)-3:]
		for n, r := range got {
			headers := []string{"ingraind.batch", name, "ingraind.index", fmt.Sprint(n), "ingraind.host", "h.example"}
			if r.Payload != fmt.Sprintf(`{"n":%d}`, n) || r.Key == nil || *r.Key != fmt.Sprintf("h.example/%d", n) || r.TS != int64(atTime)/1e6 || !slices.Equal(r.Headers, headers) {
				t.Errorf("%s: got %+v", compression, r)
			}
		}
	}
}

func TestAKeyIsWhatTheRowHas(t *testing.T) {
	_, brokers := cluster(t, kfake.SeedTopics(1, "one"))
	for _, c := range []struct{ key, comm, want string }{
		{"", "sh", ""},
		{"fixed", "sh", "fixed"},
		{"{grain}.{event}@{host}", "sh", "g.number@h"},
		{"{who.comm}", "a \"b\"\n", `a \"b\"\n`},
		{"{who.comm}", "", ""},
		{"{n}-{peer}", "sh", "7-127.0.0.1"},
		{"{why}", "sh", ""},
		{"{args}", "sh", ""},
		{"{no_such}", "sh", ""},
		{"{no_such}+{why}", "sh", "+"},
	} {
		s := open(t, "brokers="+brokers, "topic=one", "hostname=h", "key="+c.key)
		ship(t, s, &runtime.Batch{Name: "b", Rows: 1, Bytes: s.Encoding().AppendRow(nil, numbered(numbers(), 7, c.comm))})
		all := records(t, brokers, "one")
		if got := all[len(all)-1].Key; (got == nil) != (c.want == "") || got != nil && *got != c.want {
			t.Errorf("%q: got key %v, want %q", c.key, got, c.want)
		}
	}
}

func TestRowsGoToTheTopicsOfTheirEvents(t *testing.T) {
	_, brokers := cluster(t, kfake.AllowAutoTopicCreation())
	s := open(t, "brokers="+brokers, "topic=all.{grain}.{event}", "create_topics=true")
	b := &runtime.Batch{Name: "b"}
	for _, name := range []string{"a", "b", "a"} {
		e := numbers()
		e.Name = name
		b.Bytes = s.Encoding().AppendRow(b.Bytes, numbered(e, b.Rows, ""))
		b.Rows++
	}
	ship(t, s, b)
	for topic, want := range map[string]string{"all.g.a": `{"n":0}{"n":2}`, "all.g.b": `{"n":1}`} {
		got := ""
		for _, r := range records(t, brokers, topic) {
			got += r.Payload
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", topic, got, want)
		}
	}
}

func TestWithoutAKeyABatchIsTogetherAndInOrder(t *testing.T) {
	_, brokers := cluster(t)
	s := open(t, "brokers="+brokers, "topic=rows")
	for n := range 10 {
		ship(t, s, batch(s, fmt.Sprint(n), 100*n, 100*n+100))
	}
	partitions := map[string]int{}
	used := map[int]bool{}
	last := map[int]int{}
	for _, r := range records(t, brokers, "rows") {
		name := r.Headers[1]
		if p, ok := partitions[name]; ok && p != r.Partition {
			t.Errorf("batch %s is in partitions %d and %d", name, p, r.Partition)
		}
		partitions[name], used[r.Partition] = r.Partition, true
		var row struct{ N int }
		if err := json.Unmarshal([]byte(r.Payload), &row); err != nil {
			t.Fatal(err)
		}
		if before, ok := last[r.Partition]; ok && before >= row.N {
			t.Errorf("partition %d: %d comes after %d", r.Partition, row.N, before)
		}
		last[r.Partition] = row.N
	}
	if len(partitions) != 10 || len(used) < 2 {
		t.Errorf("got %d batches in %d partitions, want 10 in several", len(partitions), len(used))
	}
}

func TestRowsOfOneKeyAreInOnePartition(t *testing.T) {
	_, brokers := cluster(t)
	s := open(t, "brokers="+brokers, "topic=rows", "key={who.comm}")
	b := &runtime.Batch{Name: "b"}
	for n := range 300 {
		b.Bytes = s.Encoding().AppendRow(b.Bytes, numbered(numbers(), n, string(rune('a'+n%10))))
		b.Rows++
	}
	ship(t, s, b)
	partitions, used, n := map[string]int{}, map[int]bool{}, 0
	for _, r := range records(t, brokers, "rows") {
		if p, ok := partitions[*r.Key]; ok && p != r.Partition {
			t.Errorf("key %s is in partitions %d and %d", *r.Key, p, r.Partition)
		}
		partitions[*r.Key], used[r.Partition] = r.Partition, true
		n++
	}
	if n != 300 || len(partitions) != 10 || len(used) < 2 {
		t.Errorf("got %d records of %d keys in %d partitions", n, len(partitions), len(used))
	}
}

// What a consumer sees is the rows of the batch, whichever are acknowledged.
func TestAcksOfAllKindsDeliver(t *testing.T) {
	_, brokers := cluster(t)
	for i, acks := range []string{"all", "leader", "none"} {
		s := open(t, "brokers="+brokers, "topic=rows", "acks="+acks)
		for n := range 3 {
			ship(t, s, batch(s, fmt.Sprint(acks, n), 300*i+100*n, 300*i+100*n+100))
		}
	}
	until(t, "those that nobody acknowledges", func() bool { return len(arrivals(t, brokers)) == 900 })
	if again := mustHold(t, arrivals(t, brokers), 900); again != 0 {
		t.Errorf("%d came twice", again)
	}
}
