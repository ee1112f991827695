// SPDX-License-Identifier: Apache-2.0

package otlp

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/sink/internal/remote"
)

// headers are those that a user asks for. The file is read for each request.
type headers struct {
	set  http.Header
	file string
}

func newHeaders(s runtime.Settings) (headers, error) {
	h := headers{set: http.Header{}, file: s.Text("headers_file")}
	err := pairs("headers", s.Text("headers"), func(name, value string) error { return add(h.set, name, value) })
	if err == nil {
		_, _, err = h.read()
	}
	return h, err
}

// read is the headers of the next request, and what no message may repeat.
func (h *headers) read() (head http.Header, secrets []string, err error) {
	head = h.set.Clone()
	if h.file != "" {
		text, err := remote.Secret("headers_file", h.file)
		if err != nil {
			return nil, nil, err
		}
		read := http.Header{}
		for i, line := range strings.Split(text, "\n") {
			if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
				continue
			}
			name, value, _ := strings.Cut(line, ":")
			if err := add(read, strings.TrimSpace(name), strings.TrimSpace(value)); err != nil {
				return nil, nil, fmt.Errorf("headers_file: number %d: %w", i+1, err)
			}
		}
		for name, values := range read {
			head[name] = values
		}
	}
	for _, values := range head {
		for _, value := range values {
			secrets = append(secrets, value)
			if _, credentials, ok := strings.Cut(value, " "); ok {
				secrets = append(secrets, credentials)
			}
		}
	}
	return head, secrets, nil
}

var errHeader = errors.New("this is no header; want a name and a value")

// add says nothing of a header that it does not take.
func add(to http.Header, name, value string) error {
	token := name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
	if !token || value == "" || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
		return errHeader
	}
	canonical := http.CanonicalHeaderKey(name)
	switch canonical {
	case "Host", "Connection", "Content-Length", "Content-Encoding", "Content-Type", "Transfer-Encoding", "Trailer", "Te", "Upgrade", "Expect", "Idempotency-Key":
		return fmt.Errorf("%s is not to be set, for it follows from the batch", canonical)
	}
	if strings.HasPrefix(canonical, "Grpc-") {
		return fmt.Errorf("%s is not to be set, for it is gRPC's own", canonical)
	}
	to.Add(name, value)
	return nil
}
