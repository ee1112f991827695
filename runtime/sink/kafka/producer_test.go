// SPDX-License-Identifier: Apache-2.0

package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/redsift/ingraind/runtime"
)

// stuck has produce requests wait until it is told to go on.
func stuck(c *kfake.Cluster) (release func(), waiting *atomic.Int32) {
	done, waiting := make(chan struct{}), &atomic.Int32{}
	c.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		waiting.Add(1)
		c.SleepControl(func() { <-done })
		return nil, nil, false
	})
	return func() { close(done) }, waiting
}

func TestABatchThatIsWaitedForAgainIsNotProducedAgain(t *testing.T) {
	c, brokers := cluster(t)
	s := open(t, "brokers="+brokers, "topic=rows", "timeout=200ms")
	release, _ := stuck(c)
	b := batch(s, "b", 0, 100)
	for range 3 {
		if err := s.Ship(t.Context(), b); err == nil || runtime.IsPermanent(err) || !strings.Contains(err.Error(), "no answer within 200ms (timeout)") {
			t.Fatalf("got %v", err)
		}
	}
	clear(b.Bytes) // which belong to the lane meanwhile
	release()
	until(t, "the batch", func() bool { return s.Ship(t.Context(), b) == nil })
	if all := arrivals(t, brokers); len(all) != 100 || mustHold(t, all, 100) != 0 {
		t.Errorf("got %d records, want 100", len(all))
	}
}

// An answer that was lost does not double a row.
func TestALostAnswerDoublesNothing(t *testing.T) {
	losing := &losses{}
	c, brokers := cluster(t, kfake.ListenFn(losing.listen))
	losing.watch(c)
	s := open(t, "brokers="+brokers, "topic=rows", "timeout=1s")
	ship(t, s, batch(s, "0", 0, 100))
	for n := 1; n < 6; n++ {
		losing.next.Store(2)
		b := batch(s, fmt.Sprint(n), 100*n, 100*n+100)
		until(t, "the batch", func() bool { return s.Ship(t.Context(), b) == nil })
	}
	if losing.lost.Load() < 5 {
		t.Errorf("%d answers were lost, want some for each batch", losing.lost.Load())
	}
	if all := arrivals(t, brokers); len(all) != 600 || mustHold(t, all, 600) != 0 {
		t.Errorf("got %d records, want 600", len(all))
	}
}

func TestWhatTheNextAgentSendsAgainSaysSo(t *testing.T) {
	losing := &losses{}
	c, brokers := cluster(t, kfake.ListenFn(losing.listen))
	losing.watch(c)
	s := open(t, "brokers="+brokers, "topic=rows", "timeout=300ms")
	losing.next.Store(1000) // stored, and nobody hears of it
	b := batch(s, "b", 0, 100)
	until(t, "a lost answer", func() bool { return s.Ship(t.Context(), b) != nil && losing.lost.Load() > 0 })
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	losing.next.Store(0)
	losing.due.Store(false)
	ship(t, open(t, "brokers="+brokers, "topic=rows"), b)
	all := arrivals(t, brokers)
	if again := mustHold(t, all, 100); len(all) != 200 || again != 100 {
		t.Errorf("got %d records, %d of them again under the same headers, want 200 and 100", len(all), again)
	}
}

// Of rows that go to two topics, one of which brokers refuse for now, those of
// the other are not produced again.
func TestWhatWasTakenOfABatchDoesNotComeAgain(t *testing.T) {
	c, brokers := cluster(t, kfake.SeedTopics(1, "to.a", "to.b"))
	s := open(t, "brokers="+brokers, "topic=to.{event}")
	b := &runtime.Batch{Name: "b"}
	for _, name := range []string{"a", "b", "a", "b"} {
		e := numbers()
		e.Name = name
		b.Bytes = s.Encoding().AppendRow(b.Bytes, numbered(e, b.Rows, ""))
		b.Rows++
	}
	fault := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "to.b", Err: kerr.TopicAuthorizationFailed, Count: -1})
	for range 3 {
		err := s.Ship(t.Context(), b)
		if want := "topic to.b: TOPIC_AUTHORIZATION_FAILED: rows wait until the user may write to it"; err == nil || err.Error() != want || runtime.IsPermanent(err) {
			t.Fatalf("got %v, want %s", err, want)
		}
	}
	fault.Remove()
	ship(t, s, b)
	for topic, want := range map[string]string{"to.a": `{"n":0}{"n":2}`, "to.b": `{"n":1}{"n":3}`} {
		got := ""
		for _, r := range records(t, brokers, topic) {
			got += r.Payload
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", topic, got, want)
		}
	}
	// What is refused for good ends the batch, when the rest is taken.
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "to.b", Err: kerr.InvalidRecord, Count: -1})
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "to.a", Err: kerr.TopicAuthorizationFailed, Count: 1})
	b.Name = "c"
	if err := s.Ship(t.Context(), b); err == nil || runtime.IsPermanent(err) {
		t.Fatalf("got %v, want to try again for to.a", err)
	}
	err := s.Ship(t.Context(), b)
	if want := "topic to.b: INVALID_RECORD: a compacted topic takes only records with a key; of 4 rows 2 are taken"; err == nil || err.Error() != want || !runtime.IsPermanent(err) {
		t.Fatalf("got %v, want %s", err, want)
	}
}

// The client itself would never ask again, or not for minutes.
func TestRightsThatAreGrantedAreUsedAtOnce(t *testing.T) {
	for _, c := range []struct {
		fault kfake.Fault
		want  string
	}{
		{kfake.Fault{Keys: []kmsg.Key{kmsg.InitProducerID}, TopLevel: true, Err: kerr.ClusterAuthorizationFailed}, "topic rows: CLUSTER_AUTHORIZATION_FAILED: rows wait until the user may write idempotently (IDEMPOTENT_WRITE), or set acks to leader"},
		{kfake.Fault{Keys: []kmsg.Key{kmsg.Metadata}, Topic: "rows", Err: kerr.TopicAuthorizationFailed}, "topic rows: TOPIC_AUTHORIZATION_FAILED: rows wait until the user may write to it"},
		{kfake.Fault{Keys: []kmsg.Key{kmsg.Metadata}, Topic: "rows", Err: kerr.UnknownTopicOrPartition}, "topic rows: UNKNOWN_TOPIC_OR_PARTITION: there is no such topic: make it, or set create_topics to true"},
		{kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.TopicAuthorizationFailed}, "topic rows: TOPIC_AUTHORIZATION_FAILED: rows wait until the user may write to it"},
	} {
		cluster, brokers := cluster(t)
		s := open(t, "brokers="+brokers, "topic=rows")
		c.fault.Count = -1
		fault := cluster.Fault(c.fault)
		b := batch(s, "b", 0, 100)
		for range 2 {
			if err := s.Ship(t.Context(), b); err == nil || err.Error() != c.want || runtime.IsPermanent(err) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		}
		fault.Remove()
		began := time.Now()
		ship(t, s, b)
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("%s: it took %v", c.want, took)
		}
		if all := arrivals(t, brokers); len(all) != 100 || mustHold(t, all, 100) != 0 {
			t.Errorf("got %d records, want 100", len(all))
		}
	}
}

func TestATopicThatIsMadeAnewGetsRows(t *testing.T) {
	c, brokers := cluster(t)
	s := open(t, "brokers="+brokers, "topic=rows", "timeout=2s")
	ship(t, s, batch(s, "a", 0, 100))
	if err := c.DeleteTopic("rows"); err != nil {
		t.Fatal(err)
	}
	b := batch(s, "b", 0, 100)
	if err := s.Ship(t.Context(), b); err == nil || runtime.IsPermanent(err) || !strings.Contains(err.Error(), "topic rows: UNKNOWN_TOPIC") {
		t.Errorf("got %v", err)
	}
	if err := c.CreateTopic("rows", 2, nil); err != nil {
		t.Fatal(err)
	}
	until(t, "the new topic", func() bool { return s.Ship(t.Context(), b) == nil })
	ship(t, s, batch(s, "c", 100, 200))
	if all := arrivals(t, brokers); len(all) != 200 || mustHold(t, all, 200) != 0 {
		t.Errorf("got %d records, want 200", len(all))
	}
}

func TestABatchThatTheLaneGaveUpIsNotInTheWay(t *testing.T) {
	c, brokers := cluster(t)
	s := open(t, "brokers="+brokers, "topic=rows", "timeout=200ms")
	release, waiting := stuck(c)
	if err := s.Ship(t.Context(), batch(s, "gone", 0, 10)); err == nil || waiting.Load() == 0 {
		t.Fatalf("got %v", err)
	}
	c.DropControl()
	release()
	next := batch(s, "next", 10, 20)
	until(t, "the next", func() bool { return s.Ship(t.Context(), next) == nil })
	for _, a := range arrivals(t, brokers) {
		if a.batch == "next" && a.n < 10 {
			t.Errorf("got %d of the batch after", a.n)
		}
	}
}

func TestShipEndsWithItsContextAndCloseAtOnce(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // takes connections, as a paused process does
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s, err := tryOpen("brokers="+l.Addr().String(), "timeout=0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	if err := s.Ship(ctx, batch(s, "b", 0, 10)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestForeignBytesAreRefusedForGood(t *testing.T) {
	s := open(t, "brokers=127.0.0.1:9")
	for _, text := range []string{"x", strings.Repeat("\xff", 99), "\x00\x00\x00\x00........\x01\x00\x00\x00\x00\x00"} {
		if err := s.Ship(t.Context(), &runtime.Batch{Name: text, Rows: 1, Bytes: []byte(text)}); !runtime.IsPermanent(err) {
			t.Errorf("%q: got %v, want a permanent error", text, err)
		}
	}
}

func TestARowThatIsTooLargeIsRefusedForGoodAndTheNextGoesOn(t *testing.T) {
	_, brokers := cluster(t)
	s := open(t, "brokers="+brokers, "topic=rows", "max_size=4KiB")
	e := numbers()
	e.AppendJSON = func(dst []byte, _ runtime.Record) []byte { return append(dst, strings.Repeat("x", 5000)...) }
	large := &runtime.Batch{Name: "large", Rows: 1, Bytes: s.Encoding().AppendRow(nil, numbered(e, 1, ""))}
	err := s.Ship(t.Context(), large)
	if want := "topic rows: MESSAGE_TOO_LARGE: set max_size to the topic's max.message.bytes, or make that larger"; err == nil || err.Error() != want || !runtime.IsPermanent(err) {
		t.Errorf("got %v, want %s", err, want)
	}
	ship(t, s, batch(s, "next", 0, 1000)) // several requests of 4 KiB
	if all := arrivals(t, brokers); len(all) != 1000 || mustHold(t, all, 1000) != 0 {
		t.Errorf("got %d records, want 1000", len(all))
	}
}
