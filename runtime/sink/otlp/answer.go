// SPDX-License-Identifier: Apache-2.0

package otlp

import (
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"
	"unicode"

	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/sink/internal/answer"
)

// mostAnswer is how much of an answer is read.
const mostAnswer = 64 << 10

// judge says what an answer over HTTP means, as OTLP has it: of the errors 429,
// 502, 503 and 504 are to be retried. So are 401 and 403, because headers_file
// may have other credentials by then, 408 and redirects.
func (e *exporter) judge(s signal, resp *http.Response, secrets []string) error {
	body, readErr := io.ReadAll(io.LimitReader(resp.Body, mostAnswer))
	code := resp.StatusCode
	err := fmt.Errorf("%s: %s", e.receiver, strings.TrimSpace(fmt.Sprintf("%d %s", code, http.StatusText(code))))
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	binary := kind == "application/x-protobuf"
	switch {
	case code >= 200 && code < 300:
		if !binary || readErr != nil {
			return nil // the status says it all
		}
		return e.partial(s, body, secrets)
	case code >= 300 && code < 400:
		return fmt.Errorf("%w: it redirects, and a POST does not follow: set endpoint to where it should go", err)
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return fmt.Errorf("%w: rows wait until the receiver takes the headers in headers_file, which is read again for each attempt", err)
	case code == http.StatusRequestTimeout || code == http.StatusTooManyRequests || code == http.StatusBadGateway ||
		code == http.StatusServiceUnavailable || code == http.StatusGatewayTimeout:
		if after, ok := answer.RetryAfter(resp.Header); ok {
			return runtime.RetryAfter(err, after)
		}
		return err
	}
	said := string(body)
	if binary {
		said = parseStatus(body).message
	}
	return e.refused(err, said, secrets)
}

// refused ends a batch.
func (e *exporter) refused(err error, said string, secrets []string) error {
	if said = extract(said, secrets); said != "" {
		err = fmt.Errorf("%w: it says %q", err, said)
	}
	return runtime.Permanent(err)
}

// partial is the answer to a request that was taken, maybe but for some of it:
// those are not to be sent again.
func (e *exporter) partial(s signal, body []byte, secrets []string) error {
	rejected, said := parsePartial(body)
	if rejected <= 0 {
		return nil
	}
	what := [signals]string{"log records", "data points"}[s]
	return e.refused(fmt.Errorf("%s: took a batch but for %d %s", e.receiver, rejected, what), said, secrets)
}

// parsePartial reads an Export...ServiceResponse. What is none says nothing.
func parsePartial(body []byte) (rejected int64, said string) {
	walk(body, func(e element) {
		if e.field != 1 || e.wire != bytes {
			return
		}
		walk(e.body, func(e element) {
			switch {
			case e.field == 1 && e.wire == varint:
				rejected = int64(e.num)
			case e.field == 2 && e.wire == bytes:
				said = string(e.body)
			}
		})
	})
	return rejected, said
}

// status is a google.rpc.Status.
type status struct {
	message string
	retry   bool // it has a RetryInfo
	after   time.Duration
}

func parseStatus(body []byte) (s status) {
	walk(body, func(e element) {
		switch {
		case e.field == 2 && e.wire == bytes:
			s.message = string(e.body)
		case e.field == 3 && e.wire == bytes:
			if after, ok := parseRetry(e.body); ok {
				s.retry, s.after = true, after
			}
		}
	})
	return s
}

// parseRetry reads an Any that is a google.rpc.RetryInfo.
func parseRetry(detail []byte) (after time.Duration, ok bool) {
	var info []byte
	walk(detail, func(e element) {
		switch {
		case e.field == 1 && e.wire == bytes:
			ok = strings.HasSuffix(string(e.body), "/google.rpc.RetryInfo")
		case e.field == 2 && e.wire == bytes:
			info = e.body
		}
	})
	if !ok {
		return 0, false
	}
	walk(info, func(e element) {
		if e.field != 1 || e.wire != bytes {
			return
		}
		walk(e.body, func(e element) {
			const most = 24 * 3600
			switch {
			case e.field == 1 && e.wire == varint:
				after += time.Duration(min(max(int64(e.num), 0), most)) * time.Second
			case e.field == 2 && e.wire == varint:
				after += time.Duration(min(max(int64(e.num), 0), 1e9))
			}
		})
	})
	return after, true
}

// walk calls each with the fields of a message, up to what cannot be read.
func walk(message []byte, each func(element)) {
	for len(message) > 0 {
		e, rest, err := next(message)
		if err != nil {
			return
		}
		each(e)
		message = rest
	}
}

// extract is the beginning of what a receiver says, on one line.
func extract(said string, secrets []string) string {
	const most = 200
	for _, secret := range secrets {
		if len(secret) >= 4 { // what is shorter is none, and may be in any word
			said = strings.ReplaceAll(said, secret, "...")
		}
	}
	said = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(said, "?"), func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }), " ")
	if len(said) > most {
		said = strings.ToValidUTF8(said[:most], "") + " ..."
	}
	return said
}
