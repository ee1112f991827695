// SPDX-License-Identifier: Apache-2.0

package http

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"slices"
)

// body makes a request's body of lines. It is no part of the batch: the
// transport may still be writing it when it has an answer, and Ship returned.
func (w *webhook) body(lines []byte) ([]byte, error) {
	switch {
	case w.array:
		lines = array(lines)
	case w.gzip == nil:
		lines = slices.Clone(lines)
	}
	if w.gzip == nil {
		return lines, nil
	}
	var packed bytes.Buffer
	w.gzip.Reset(&packed)
	_, err := w.gzip.Write(lines)
	err = errors.Join(err, w.gzip.Close())
	return packed.Bytes(), err
}

// array is a JSON array of objects that stand on a line each. Inside of an
// object is no end of a line: JSON escapes those of text.
func array(lines []byte) []byte {
	if len(lines) == 0 {
		return []byte("[]")
	}
	a := append(make([]byte, 0, 1+len(lines)), '[')
	a = append(a, lines...)
	for i := 1; i < len(a); i++ {
		if a[i] == '\n' {
			a[i] = ','
		}
	}
	a[len(a)-1] = ']'
	return a
}

func (w *webhook) contentType() string {
	if w.array {
		return "application/json"
	}
	return "application/x-ndjson"
}

// request is one attempt. The transport itself repeats it on a new connection
// when the one it kept turns out to have been closed: the Idempotency-Key
// tells it that it may.
func (w *webhook) request(ctx context.Context, head http.Header, body []byte) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.URL, req.Header = w.url, head
	return req, nil
}
