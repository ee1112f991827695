// SPDX-License-Identifier: Apache-2.0

// Package prometheus is the sink that adds up what rows count and lets
// Prometheus scrape it: docs/sinks/prometheus.md says which metrics become of
// a row.
//
// The formats are written by prometheus/common/expfmt, as client_golang's own
// are. Its registry has no use here: it would check, sort and describe anew, at
// each scrape, series that are kept in order anyway.
package prometheus

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"github.com/redsift/ingraind/runtime"
)

// Part is the sink "prometheus".
func Part() runtime.Part {
	return runtime.Part{
		Name: "prometheus",
		Help: "Adds up what rows count, and lets Prometheus scrape it.",
		Settings: []runtime.Setting{
			{Name: "listen", Default: "127.0.0.1:9435", Help: "HOST:PORT where /metrics is; port 0 is any free one."},
			{Name: "prefix", Default: "ingraind", Help: "What all names begin with."},
			{Name: "idle", Default: "15m", Help: "A series is forgotten when it had no row for so long; 0: never."},
			{Name: "max_series", Default: "100000", Help: "How many series there are at most, each bucket counted; what is beyond is not taken, and counted."},
		},
		Spool: runtime.SpoolAsked,
		Open:  open,
	}
}

var isPrefix = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_]{0,63}$`)

// open reads the settings.
func open(s runtime.Settings) (runtime.Sink, error) {
	listen, prefix := s.Text("listen"), s.Text("prefix")
	var listenErr, prefixErr error
	_, port, err := net.SplitHostPort(listen)
	if _, portErr := strconv.ParseUint(port, 10, 16); err != nil || portErr != nil {
		listenErr = fmt.Errorf("listen: %q is no HOST:PORT such as 127.0.0.1:9435 or [::1]:9435", listen)
	}
	if !isPrefix.MatchString(prefix) {
		prefixErr = fmt.Errorf("prefix: %q is no name such as ingraind: up to 64 letters, digits and _, a letter first", prefix)
	}
	idle, idleErr := s.Duration("idle")
	most, mostErr := strconv.Atoi(s.Text("max_series"))
	if mostErr != nil || most < 1 {
		mostErr = fmt.Errorf("max_series: %q is no number from 1", s.Text("max_series"))
	}
	if err := errors.Join(listenErr, prefixErr, idleErr, mostErr); err != nil {
		return nil, err
	}
	k := &sink{encoding: newEncoding(prefix), store: newStore(prefix, idle, most), listen: listen}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", k.store.serve)
	k.server = &http.Server{
		Handler: mux, ReadHeaderTimeout: 10 * time.Second, WriteTimeout: time.Minute,
		IdleTimeout: 5 * time.Minute, MaxHeaderBytes: 64 << 10,
	}
	return k, nil
}

type sink struct {
	encoding *encoding
	store    *store
	listen   string
	listener net.Listener // nil before Start
	server   *http.Server
	ended    chan error
}

// Start opens the port: one in use is known before anything is counted.
func (k *sink) Start() error {
	l, err := net.Listen("tcp", k.listen)
	if err != nil {
		return fmt.Errorf("listen: %w: end what has that port, or set another one", err)
	}
	k.listener, k.ended = l, make(chan error, 1)
	go func() { k.ended <- k.server.Serve(l) }()
	return nil
}

func (k *sink) Encoding() runtime.Encoding { return k.encoding }

// Ship adds a batch to the series, all of it or, when its bytes are damaged,
// nothing of it.
func (k *sink) Ship(_ context.Context, b *runtime.Batch) error {
	if err := k.store.take(b.Bytes); err != nil {
		return runtime.Permanent(err)
	}
	return nil
}

// Close ends the endpoint. Scrapes on their way have a moment to end.
func (k *sink) Close() error {
	if k.listener == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	err := k.server.Shutdown(ctx)
	if err != nil {
		err = k.server.Close()
	}
	if served := <-k.ended; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}
