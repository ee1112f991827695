// SPDX-License-Identifier: Apache-2.0

// Package observe lets others look at a running agent over HTTP: /metrics for
// Prometheus, /healthz and /readyz for whoever keeps it running, and
// /debug/pprof when it is asked for. docs/observe.md says what is there.
package observe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/pprof"
	"strconv"
	"time"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/redsift/ingraind/runtime"
)

// Part is the observer of agents that list it.
func Part() *runtime.Observer {
	return &runtime.Observer{
		Settings: []runtime.Setting{
			{Name: "address", Help: "HOST:PORT to serve /metrics, /healthz and /readyz at, such as 127.0.0.1:9464; without one nothing is served."},
			{Name: "pprof", Default: "false", Help: "Whether to serve profiles of the agent itself, at /debug/pprof/."},
			{Name: "run_time", Default: "false", Help: "Whether the kernel shall measure how long programs run, for all programs of the machine; that makes each run some 20 ns longer."},
		},
		Open: open,
	}
}

// patience is how long the reading goroutine may take to answer.
const patience = 2 * time.Second

// server is an observer at work.
type server struct {
	runtime.Observed
	listener net.Listener
	http     http.Server
	ended    chan error
	stats    io.Closer // nil: the kernel was not asked to count
}

func open(s runtime.Settings, o runtime.Observed) (io.Closer, error) {
	address := s.Text("address")
	host, port, err := net.SplitHostPort(address)
	if _, portErr := strconv.ParseUint(port, 10, 16); err != nil || portErr != nil {
		return nil, fmt.Errorf("address: %q is no HOST:PORT such as 127.0.0.1:9464 or [::1]:9464", address)
	}
	profiles, profilesErr := s.Bool("pprof")
	measure, measureErr := s.Bool("run_time")
	if err := errors.Join(profilesErr, measureErr); err != nil {
		return nil, err
	}
	k := &server{Observed: o, ended: make(chan error, 1)}
	if measure {
		if k.stats, err = ebpf.EnableStats(unix.BPF_STATS_RUN_TIME); err != nil {
			return nil, fmt.Errorf("run_time: %w", err)
		}
	}
	if k.listener, err = net.Listen("tcp", address); err != nil {
		err = fmt.Errorf("%w: end what has that port, or choose another one", err)
		return nil, errors.Join(err, k.uncount())
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		o.Log.Warn("others than this machine may look at the agent: nobody is asked who they are", "address", k.listener.Addr().String())
	}
	k.http = http.Server{
		Handler:           k.pages(profiles),
		ReadHeaderTimeout: 10 * time.Second,
		WriteTimeout:      time.Minute + profileTime,
		IdleTimeout:       5 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
	go func() { k.ended <- k.http.Serve(k.listener) }()
	o.Log.Info("listening", "address", k.listener.Addr().String())
	return k, nil
}

// profileTime is what is left for profiles beyond the minute of other answers.
const profileTime = 4 * time.Minute

// Close ends the endpoint. Answers on their way have a moment to end.
func (k *server) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	err := k.http.Shutdown(ctx)
	if err != nil {
		err = k.http.Close()
	}
	if served := <-k.ended; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return errors.Join(err, k.uncount())
}

// uncount has the kernel count no more for this agent.
func (k *server) uncount() error {
	if k.stats == nil {
		return nil
	}
	return k.stats.Close()
}

func (k *server) pages(profiles bool) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", k.metrics)
	mux.HandleFunc("GET /healthz", k.healthy)
	mux.HandleFunc("GET /readyz", k.ready)
	if profiles {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
		mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
		mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	}
	return mux
}

// asked is the agent's report, or false after a 503 that says why there is none.
func (k *server) asked(w http.ResponseWriter, r *http.Request) (runtime.Report, bool) {
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	report, err := k.Report(ctx)
	if err != nil {
		http.Error(w, "the reader does not answer: "+err.Error(), http.StatusServiceUnavailable)
		return report, false
	}
	return report, true
}

func (k *server) metrics(w http.ResponseWriter, r *http.Request) {
	if report, ok := k.asked(w, r); ok {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		w.Write(k.appendMetrics(nil, report))
	}
}

// healthy is whether the reading goroutine still goes round.
func (k *server) healthy(w http.ResponseWriter, r *http.Request) {
	if _, ok := k.asked(w, r); ok {
		io.WriteString(w, "ok\n")
	}
}

// ready is whether all that can be watched here is.
func (k *server) ready(w http.ResponseWriter, r *http.Request) {
	report, ok := k.asked(w, r)
	switch {
	case !ok:
	case len(report.Grains) == 0:
		http.Error(w, "no grain is attached yet", http.StatusServiceUnavailable)
	default:
		for _, g := range report.Grains {
			io.WriteString(w, g+" runs\n")
		}
	}
}
