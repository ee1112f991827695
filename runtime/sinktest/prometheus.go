// SPDX-License-Identifier: Apache-2.0

package sinktest

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// Prometheus is a server that scrapes an address, twice a second.
type Prometheus struct {
	*Process
	t  testing.TB
	at string
}

// NewPrometheus is one that is running, of native histograms or of classic ones. binary is
// where .ci/prometheus puts it.
func NewPrometheus(t testing.TB, binary, target string, native bool) *Prometheus {
	t.Helper()
	program, dir := Installed(t, binary, ".ci/prometheus"), t.TempDir()
	p := &Prometheus{NewProcess(t), t, FreeAddress(t)}
	config := filepath.Join(dir, "prometheus.yml")
	text := fmt.Sprintf("global: {scrape_interval: 500ms, scrape_timeout: 500ms}\nscrape_configs:\n- {job_name: a, scrape_native_histograms: %v, static_configs: [{targets: [%q]}]}\n", native, target)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p.Start(exec.Command(program, "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+p.at))
	t.Cleanup(p.End) // it writes to the folder until then
	return p
}

// Ask is the one value that a query has.
func (p *Prometheus) Ask(query string) (float64, error) {
	answer, err := http.Get("http://" + p.at + "/api/v1/query?query=" + url.QueryEscape(query))
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	var got struct {
		Data struct{ Result []struct{ Value [2]any } }
	}
	if err := json.NewDecoder(answer.Body).Decode(&got); err != nil {
		return 0, err
	}
	if len(got.Data.Result) != 1 {
		return 0, fmt.Errorf("got %d results, want one", len(got.Data.Result))
	}
	text, _ := got.Data.Result[0].Value[1].(string)
	return strconv.ParseFloat(text, 64)
}

// MustSay wants a query to have a value before long.
func (p *Prometheus) MustSay(query string, want float64) {
	p.t.Helper()
	p.eventually(query, fmt.Sprint(want), func(got float64) bool { return math.Abs(got-want) <= 1e-9*math.Abs(want) })
}

// MustSayAbout wants it within a factor.
func (p *Prometheus) MustSayAbout(query string, want, factor float64) {
	p.t.Helper()
	p.eventually(query, fmt.Sprintf("%v, within a factor of %v", want, factor), func(got float64) bool { return got >= want/factor && got <= want*factor })
}

func (p *Prometheus) eventually(query, want string, right func(float64) bool) {
	p.t.Helper()
	var got float64
	var err error
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if got, err = p.Ask(query); err == nil && right(got) {
			return
		}
	}
	p.t.Errorf("%s: got %v, %v, want %s", query, got, err, want)
}
