// SPDX-License-Identifier: Apache-2.0

package otlp

import (
	stdbytes "bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/redsift/ingraind/runtime"
)

// gRPC is one POST over HTTP/2, whose trailers say what became of it: all that
// is needed of it here.

// The codes that mean something to this sink.
const (
	codeOK                = 0
	codeCancelled         = 1
	codeUnknown           = 2
	codeDeadlineExceeded  = 4
	codePermissionDenied  = 7
	codeResourceExhausted = 8
	codeAborted           = 10
	codeOutOfRange        = 11
	codeUnimplemented     = 12
	codeInternal          = 13
	codeUnavailable       = 14
	codeDataLoss          = 15
	codeUnauthenticated   = 16
)

// judgeGRPC says what an answer over gRPC means, as OTLP has it, but that
// credentials that are not taken are waited for.
func (e *exporter) judgeGRPC(ctx context.Context, s signal, resp *http.Response, secrets []string) error {
	body, err := io.ReadAll(io.LimitReader(resp.Body, mostAnswer))
	if err != nil {
		return e.broken(ctx, err)
	}
	if len(body) == mostAnswer { // trailers come after the body, which is longer than any sensible one
		return fmt.Errorf("%s: the answer is longer than 64 KiB: is there a gRPC server?", e.receiver)
	}
	trailer := resp.Trailer
	if resp.Header.Get("Grpc-Status") != "" {
		trailer = resp.Header // an answer that is nothing but its head
	}
	code, known := codeOf(trailer.Get("Grpc-Status"), resp.StatusCode)
	if !known {
		return fmt.Errorf("%s: an answer without grpc-status: is there a gRPC server, or is protocol to be %s?", e.receiver, overHTTP)
	}
	if code == codeOK {
		message, err := unframe(body, resp.Header.Get("Grpc-Encoding"))
		if err != nil {
			return nil // the status says it all
		}
		return e.partial(s, message, secrets)
	}
	details, _ := base64.RawStdEncoding.DecodeString(strings.TrimRight(trailer.Get("Grpc-Status-Details-Bin"), "="))
	info := parseStatus(details)
	err = fmt.Errorf("%s: gRPC status %d%s", e.receiver, code, nameOf(code))
	switch code {
	case codeUnauthenticated, codePermissionDenied:
		return fmt.Errorf("%w: rows wait until the receiver takes the headers in headers_file, which is read again for each attempt", err)
	case codeResourceExhausted:
		if info.retry {
			return runtime.RetryAfter(err, info.after)
		}
	case codeCancelled, codeDeadlineExceeded, codeAborted, codeOutOfRange, codeUnavailable, codeDataLoss:
		if info.retry {
			return runtime.RetryAfter(err, info.after)
		}
		return err
	}
	said, unescapeErr := url.PathUnescape(trailer.Get("Grpc-Message"))
	if unescapeErr != nil {
		said = trailer.Get("Grpc-Message")
	}
	return e.refused(err, said, secrets)
}

// codeOf is a status; without one, what gRPC makes of that of HTTP. false: there
// is none, though HTTP says that all is well.
func codeOf(text string, http int) (code int, known bool) {
	if text != "" {
		n, err := strconv.ParseUint(text, 10, 31)
		if err != nil {
			return codeUnknown, true
		}
		return int(n), true
	}
	switch http {
	case 200:
		return 0, false
	case 400:
		return codeInternal, true
	case 401:
		return codeUnauthenticated, true
	case 403:
		return codePermissionDenied, true
	case 404:
		return codeUnimplemented, true
	case 429, 502, 503, 504:
		return codeUnavailable, true
	}
	return codeUnknown, true
}

func nameOf(code int) string {
	names := []string{"OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED",
		"RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED"}
	if code < len(names) {
		return " " + names[code]
	}
	return ""
}

var errFrame = errors.New("this is no gRPC message")

// unframe is the message in the frame of an answer.
func unframe(body []byte, encoding string) ([]byte, error) {
	if len(body) < 5 || uint64(binary.BigEndian.Uint32(body[1:])) != uint64(len(body)-5) {
		return nil, errFrame
	}
	message := body[5:]
	switch {
	case body[0] == 0:
		return message, nil
	case body[0] != 1 || encoding != "gzip":
		return nil, errFrame
	}
	r, err := gzip.NewReader(stdbytes.NewReader(message))
	if err != nil {
		return nil, errFrame
	}
	message, err = io.ReadAll(io.LimitReader(r, mostAnswer))
	if err != nil {
		return nil, errFrame
	}
	return message, nil
}
