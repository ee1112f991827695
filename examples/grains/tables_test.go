// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/redsift/ingraind/examples/grains/generated/ask"
	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/runtimetest"
)

// question is a call of getpriority.
func question(which, number int) {
	_, _, _ = unix.Syscall(unix.SYS_GETPRIORITY, uintptr(which), uintptr(number), 0)
}

// merged are the rows of a table with a comm, added up by key.
func merged(rows []runtimetest.Row, table, comm string, key ...string) map[string]map[string]any {
	all := map[string]map[string]any{}
	for _, r := range rows {
		if r.Text("table") != table || r.Text("comm") != comm && slices.Contains(key, "comm") {
			continue
		}
		name := ""
		for _, k := range key {
			name += fmt.Sprint(r.Get(k), " ")
		}
		if r.Get("overflow") == true {
			name = "overflow"
		}
		sum := all[name]
		if sum == nil {
			sum = map[string]any{}
			all[name] = sum
		}
		for label, value := range r {
			mergeCell(sum, label, value)
		}
	}
	return all
}

// mergeCell adds what a row says to what those before it said.
func mergeCell(sum map[string]any, label string, value any) {
	switch v := value.(type) {
	case json.Number:
		n, err := v.Int64()
		if err != nil {
			return // a mean: of the sum
		}
		was, seen := sum[label].(int64)
		switch label {
		case "least", "nearest":
			if !seen || n < was {
				sum[label] = n
			}
		case "most", "farthest":
			if !seen || n > was {
				sum[label] = n
			}
		case "latest":
			sum[label] = n
		case "asks", "total", "way":
			sum[label] = was + n
		}
	case []any:
		buckets, _ := sum[label].(map[string]int64)
		if buckets == nil {
			buckets = map[string]int64{}
			sum[label] = buckets
		}
		for _, b := range v {
			bucket := b.(map[string]any)
			n, _ := bucket["n"].(json.Number).Int64()
			buckets[fmt.Sprint(bucket["le"])] += n
		}
	}
}

// numbers are questions that reach every bucket.
func numbers(n int) []int {
	var all []int
	for i := range n {
		all = append(all, i*i%1000)
	}
	return all
}

func TestTablesCountTheSameInTheKernelAndInTheAgent(t *testing.T) {
	agent := start(t, runtime.Options{Params: map[string]int64{"ask.least": 3}}, ask.New())
	asked := numbers(5000)
	runtimetest.Named(t, "asker", func() {
		for i, n := range asked {
			question(i%3, n)
		}
	})
	time.Sleep(1200 * time.Millisecond) // over the end of an interval
	runtimetest.Named(t, "asker", func() {
		for i, n := range asked {
			question(i%3, n)
		}
	})
	rows, ledger := stop(t, agent)

	key := []string{"about", "tens"}
	here, there := merged(rows, "here", "asker", append(key, "comm")...), merged(rows, "there", "asker", append(key, "comm")...)
	if len(here) != 12 {
		t.Fatalf("got %d keys, want 12: 3 times 4", len(here))
	}
	for name, cells := range here {
		if got, want := fmt.Sprint(there[name]), fmt.Sprint(cells); got != want {
			t.Errorf("%s: in the agent %s\nin the kernel %s", name, got, want)
		}
	}
	want := truth(asked)
	var asks, total int64
	for _, cells := range here {
		asks += cells["asks"].(int64)
		total += cells["total"].(int64)
	}
	if asks != 2*want.asks || total != 2*want.total {
		t.Errorf("got %d questions with the sum %d, want %d with %d", asks, total, 2*want.asks, 2*want.total)
	}
	if e := ledger.Events[0]; int64(e.Rejected) < 2*want.rejected || e.Counted != e.Read || e.Seen != e.Rejected+e.Emitted {
		t.Errorf("got %+v, want %d rejected or more and all others counted", e, 2*want.rejected)
	}
}

type told struct{ asks, total, rejected int64 }

// truth is what there is to be counted, of numbers from 3 on.
func truth(asked []int) (w told) {
	for _, n := range asked {
		if n < 3 {
			w.rejected++
			continue
		}
		w.asks++
		w.total += int64(n)
	}
	return w
}

func TestATableOfFewKeysHasARowForEachAndForgetsQuietOnes(t *testing.T) {
	agent := start(t, runtime.Options{}, ask.New())
	runtimetest.Named(t, "asker", func() {
		for i := range 3000 {
			question(i%3, 7)
		}
	})
	quiet := func(r runtimetest.Row) bool {
		return r.Text("table") == "about" && r.Text("about") == "group" && r.Int("asks") == 0
	}
	agent.WaitFor(2, quiet) // idle: 3s, every: 1s
	time.Sleep(2500 * time.Millisecond)
	rows, _ := stop(t, agent)
	zeros := 0
	for _, r := range rows {
		if quiet(r) {
			zeros++
			if r.Get("numbers") == nil || len(r.Get("numbers").([]any)) != 0 {
				t.Errorf("got %v, want no buckets", r)
			}
		}
	}
	if zeros < 2 || zeros > 3 {
		t.Errorf("got %d rows of zeros, want 2, or 3 with the last interval's", zeros)
	}
	about := merged(rows, "about", "", "about")
	for _, name := range []string{"process", "group", "user"} {
		if n := about[name+" "]["asks"].(int64); n < 1000 || n > 1100 {
			t.Errorf("%s: got %d, want 1000", name, n)
		}
	}
	all := merged(rows, "all", "")
	if n := all[""]["asks"].(int64); n < 3000 || n > 3100 {
		t.Errorf("got %d in all, want 3000", n)
	}
}

func TestKeysBeyondTheBoundShareARow(t *testing.T) {
	agent := start(t, runtime.Options{}, ask.New())
	const keys = 20_000
	runtimetest.Named(t, "asker", func() {
		for i := range keys {
			question(0, i)
		}
	})
	rows, ledger := stop(t, agent)
	few := merged(rows, "few", "", "number")
	var sum, first int64
	for _, cells := range few {
		sum += cells["asks"].(int64)
	}
	for i := range 10 {
		cells := few[strconv.Itoa(i)+" "]
		if cells == nil {
			continue
		}
		first++
	}
	if sum < keys || sum > keys+100 {
		t.Errorf("got %d questions, want %d", sum, keys)
	}
	over := few["overflow"]
	if first < 9 || over == nil {
		t.Fatalf("got %d of the first ten keys, and the overflow %v", first, over)
	}
	for _, b := range ledger.Tables {
		if b.Table == "few" && int64(b.Overflow) != over["asks"].(int64) {
			t.Errorf("the ledger says %d, the rows %v", b.Overflow, over["asks"])
		}
	}
}

func TestSketchesSayWhatTheyShould(t *testing.T) {
	agent := start(t, runtime.Options{}, ask.New())
	for range 5 { // on a busy machine not each fits into an interval
		time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(time.Second + 100*time.Millisecond))) // an interval has just begun
		runtimetest.Named(t, "asker", func() {
			for i := range 1000 {
				question(0, i) // each once
				question(0, 7)
				if i%2 == 0 {
					question(0, 9)
				}
			}
		})
	}
	rows, _ := stop(t, agent)
	for _, r := range rows {
		if r.Text("table") != "sketch" || r.Text("comm") != "asker" || r.Int("asks") != 2500 {
			continue
		}
		if n := r.Int("kinds"); n < 950 || n > 1050 {
			t.Errorf("got %d different numbers, want about 1000", n)
		}
		often := r.Get("often").([]any)
		if len(often) != 3 || fmt.Sprintf("%v %v", often[0].(map[string]any)["value"], often[1].(map[string]any)["value"]) != "7 9" {
			t.Errorf("got the most frequent %v, want 7, then 9", often)
		}
		if callers := r.Get("callers").([]any); len(callers) != 1 || callers[0].(map[string]any)["value"] != "asker" {
			t.Errorf("got the callers %v, want asker", callers)
		}
		// 1501 of 2500 are 7 or 9; the 90th percentile is the 750th of a thousand.
		spread := r.Get("spread").(map[string]any)
		if p, err := spread["p90"].(json.Number).Float64(); err != nil || p < 740*0.98 || p > 760*1.02 {
			t.Errorf("got %v, want a 90th percentile of about 750", spread)
		}
		return
	}
	t.Error("no row has all of the load")
}
