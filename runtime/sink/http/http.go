// SPDX-License-Identifier: Apache-2.0

// Package http is the sink that posts batches to a URL: a webhook.
//
// A batch is one POST. Its header Idempotency-Key is the batch's name, the
// same when the batch comes again: after an answer that was lost, or from the
// next agent. A receiver that knows the names it has seen takes each row once.
//
// Errors name the receiver by scheme and host alone, because the rest of a
// webhook's URL is often a secret. Headers, tokens and passwords are in none.
package http

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/sink/internal/remote"
)

// Part is the sink "http".
func Part() runtime.Part {
	return runtime.Part{
		Name: "http",
		Help: "Posts batches of rows to a URL, each under a name that it keeps when it is sent again.",
		Settings: slices.Concat([]runtime.Setting{
			{Name: "url", Help: "Where to; required, such as https://events.example.com/rows. A name and password in it are sent as basic authentication."},
			{Name: "format", Default: "ndjson", Help: "What a body is: ndjson, one object a line; or json, an array of objects."},
			{Name: "compression", Default: "none", Help: "none or gzip."},
			{Name: "headers", Help: "Headers to send, as in: X-Team: kernel, X-Zone: a. What is secret, or has a comma in it, goes into headers_file."},
			{Name: "headers_file", Help: "A file with a header a line, as in: X-Api-Key: 123. It is read for each request."},
			{Name: "token_file", Help: "A file with a token, sent as Authorization: Bearer. It is read for each request."},
		}, remote.TrustSettings(), []runtime.Setting{
			{Name: "timeout", Default: "10s", Help: "How long an answer may take before the batch is sent again; 0 for as long as it likes."},
		}),
		Spool: runtime.SpoolTrouble,
		Open:  open,
	}
}

// webhook posts to one URL.
type webhook struct {
	url       *url.URL // without name and password
	receiver  string   // how errors call it
	array     bool
	gzip      *gzip.Writer // nil: bodies are sent as they are
	headers   headers
	timeout   time.Duration
	transport *http.Transport
}

// Encoding is NDJSON, also for an array: rows are encoded once for all sinks
// that write JSON, and a spool outlives a change of format.
func (*webhook) Encoding() runtime.Encoding { return runtime.NDJSON{} }

// errTimeout is why a request of ours ended.
var errTimeout = errors.New("no answer in time")

// Ship posts b. The receiver has it when it answers with 2xx.
func (w *webhook) Ship(ctx context.Context, b *runtime.Batch) error {
	body, err := w.body(b.Bytes)
	if err != nil {
		return err
	}
	head, secrets, err := w.headers.read()
	if err != nil {
		return err
	}
	head.Set("Idempotency-Key", b.Name)
	if w.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, w.timeout, errTimeout)
		defer cancel()
	}
	req, err := w.request(ctx, head, body)
	if err != nil {
		return err
	}
	resp, err := w.transport.RoundTrip(req)
	if err != nil {
		if context.Cause(ctx) == errTimeout {
			return fmt.Errorf("%s: no answer within %s (timeout)", w.receiver, w.timeout)
		}
		if err = remote.Lasting(err); errors.Is(err, remote.ErrNoTLS) {
			err = fmt.Errorf("%w: is url to begin with http://?", err)
		}
		return fmt.Errorf("%s: %w", w.receiver, err)
	}
	defer resp.Body.Close()
	return w.judge(resp, secrets)
}

// Close ends connections that wait for a next batch.
func (w *webhook) Close() error {
	w.transport.CloseIdleConnections()
	return nil
}
