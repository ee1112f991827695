// SPDX-License-Identifier: Apache-2.0

package otlp

import (
	stdbytes "bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/sink/internal/remote"
)

// exporter sends to one endpoint.
type exporter struct {
	encoding  *encoding
	receiver  string // how errors call it
	url       *url.URL
	grpc      bool
	gzip      *gzip.Writer // nil: messages are sent as they are
	headers   headers
	resource  []byte
	timeout   time.Duration
	transport *http.Transport

	took map[string]*taken // by the batch's name
}

// taken is what a receiver is done with of a batch that is not whole yet.
type taken [signals]outcome

type outcome struct {
	done    bool
	refused error // Permanent, or nil
}

// signal is a kind of what is sent.
type signal uint8

const (
	logSignal signal = iota
	metricSignal
	signals
)

func (s signal) path(grpc bool) string {
	switch {
	case grpc && s == logSignal:
		return "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
	case grpc:
		return "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"
	case s == logSignal:
		return "/v1/logs"
	}
	return "/v1/metrics"
}

// remembered is how many batches are remembered at a time: those of which one
// half was taken and which then were dropped are not told to this sink.
const remembered = 64

// Encoding is this sink's own.
func (e *exporter) Encoding() runtime.Encoding { return e.encoding }

// Close ends connections that wait for a next batch.
func (e *exporter) Close() error {
	e.transport.CloseIdleConnections()
	return nil
}

// Ship sends what is in b, and is done when the receiver is done with all of it.
func (e *exporter) Ship(ctx context.Context, b *runtime.Batch) error {
	logs, metrics, err := split(b.Bytes)
	if err != nil {
		return runtime.Permanent(fmt.Errorf("otlp: a batch of the spool is damaged: %w", err))
	}
	t := e.took[b.Name]
	if t == nil {
		t = &taken{}
	}
	for s, records := range [signals][]byte{logs, metrics} {
		if len(records) == 0 || t[s].done {
			continue
		}
		err := e.send(ctx, signal(s), b.Name, records)
		if err != nil && !runtime.IsPermanent(err) {
			if t[logSignal].done {
				if len(e.took) >= remembered {
					clear(e.took)
				}
				e.took[b.Name] = t
			}
			return err
		}
		t[s] = outcome{true, err}
	}
	delete(e.took, b.Name)
	if t[logSignal].refused == nil {
		return t[metricSignal].refused
	}
	if t[metricSignal].refused == nil {
		return t[logSignal].refused
	}
	return runtime.Permanent(errors.Join(t[logSignal].refused, t[metricSignal].refused))
}

// request is an Export...ServiceRequest. Those of logs and of metrics have the
// same fields. A batch's name is an attribute of the resource that has logs;
// with metrics each batch would be new series.
func (e *exporter) request(s signal, name string, records []byte) []byte {
	const resourceAttribute = 1
	r := make([]byte, 0, len(records)+len(e.resource)+128)
	r, all := begin(r, 1)
	r, resource := begin(r, 1)
	r = append(r, e.resource...)
	if s == logSignal {
		r = appendAttributeString(r, resourceAttribute, "ingraind.batch", name)
	}
	r = end(r, resource)
	r, scope := begin(r, 2)
	r, in := begin(r, 1)
	r = end(appendBytes(r, 1, "ingraind"), in)
	r = append(r, records...)
	return end(end(r, scope), all)
}

var errTimeout = errors.New("no answer in time")

// send is one attempt. The transport itself repeats it when the connection that
// it kept turns out to have been closed: the Idempotency-Key tells it that it may.
func (e *exporter) send(ctx context.Context, s signal, name string, records []byte) error {
	head, secrets, err := e.headers.read()
	if err != nil {
		return err
	}
	body, err := e.body(e.request(s, name, records))
	if err != nil {
		return err
	}
	if e.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, e.timeout, errTimeout)
		defer cancel()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url.String()+s.path(e.grpc), stdbytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header = head
	e.own(head, name)
	resp, err := e.transport.RoundTrip(req)
	if err != nil {
		return e.broken(ctx, err)
	}
	defer resp.Body.Close()
	if e.grpc {
		return e.judgeGRPC(ctx, s, resp, secrets)
	}
	return e.judge(s, resp, secrets)
}

// own adds the headers of the protocol.
func (e *exporter) own(head http.Header, name string) {
	head.Set("Idempotency-Key", name)
	if head.Get("User-Agent") == "" {
		head.Set("User-Agent", "ingraind")
	}
	if !e.grpc {
		head.Set("Content-Type", "application/x-protobuf")
		if e.gzip != nil {
			head.Set("Content-Encoding", "gzip")
		}
		return
	}
	head.Set("Content-Type", "application/grpc")
	head.Set("Te", "trailers")
	if e.gzip != nil {
		head.Set("Grpc-Encoding", "gzip")
	}
}

// broken is an attempt without an answer.
func (e *exporter) broken(ctx context.Context, err error) error {
	if context.Cause(ctx) == errTimeout {
		return fmt.Errorf("%s: no answer within %s (timeout)", e.receiver, e.timeout)
	}
	if err = remote.Lasting(err); errors.Is(err, remote.ErrNoTLS) {
		err = fmt.Errorf("%w: is endpoint to begin with http://?", err)
	}
	return fmt.Errorf("%s: %w", e.receiver, err)
}

// body is a request's, packed and, for gRPC, framed: a byte that says whether
// it is packed, and four of its length.
func (e *exporter) body(message []byte) ([]byte, error) {
	var b stdbytes.Buffer
	if e.grpc {
		b.Write(make([]byte, 5))
	}
	if e.gzip == nil {
		b.Write(message)
	} else {
		e.gzip.Reset(&b)
		_, err := e.gzip.Write(message)
		if err = errors.Join(err, e.gzip.Close()); err != nil {
			return nil, err
		}
	}
	body := b.Bytes()
	if e.grpc {
		if e.gzip != nil {
			body[0] = 1
		}
		binary.BigEndian.PutUint32(body[1:], uint32(len(body)-5))
	}
	return body, nil
}
