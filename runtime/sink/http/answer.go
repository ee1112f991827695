// SPDX-License-Identifier: Apache-2.0

package http

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"unicode"

	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/sink/internal/answer"
)

// judge says what an answer means for the batch. Only an answer that a retry
// would get again is Permanent. Messages are the same for the same trouble,
// because a lane tells each once; what the receiver says itself is in those
// that end a batch.
func (w *webhook) judge(resp *http.Response, secrets []string) error {
	code := resp.StatusCode
	said := extract(resp.Body, secrets)
	status := strings.TrimSpace(fmt.Sprintf("%d %s", code, http.StatusText(code)))
	again := func(format string, args ...any) error {
		err := fmt.Errorf("%s: %s%s", w.receiver, status, fmt.Sprintf(format, args...))
		if after, ok := answer.RetryAfter(resp.Header); ok {
			return runtime.RetryAfter(err, after)
		}
		return err
	}
	switch {
	case code >= 200 && code < 300:
		return nil
	case code >= 300 && code < 400:
		return again(": it redirects%s, and a POST does not follow: set url to where it should go", whereTo(resp))
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return again(": rows wait until the receiver takes %s", w.headers.credentials())
	case code == http.StatusProxyAuthRequired:
		return again(": rows wait until the proxy of the environment takes the name and password in its URL")
	case code == http.StatusConflict:
		return again(": the receiver has not done with an earlier attempt of this batch")
	case code == http.StatusRequestTimeout || code == http.StatusTooEarly || code == http.StatusTooManyRequests:
		return again("")
	case code >= 400 && code < 500:
		err := fmt.Errorf("%s: %s", w.receiver, status)
		if said != "" {
			err = fmt.Errorf("%w: it says %q", err, said)
		}
		return runtime.Permanent(err)
	}
	return again("")
}

// credentials are what a receiver that knows nobody wants.
func (h *headers) credentials() string {
	switch {
	case h.tokenFile != "":
		return "the token in token_file, which is read again for each attempt"
	case h.file != "":
		return "the headers in headers_file, which is read again for each attempt"
	}
	return "this agent: has it the right url, token_file, headers_file or cert_file?"
}

// whereTo names the place that an answer redirects to as errors name the receiver.
func whereTo(resp *http.Response) string {
	to, err := resp.Location()
	if err != nil || to.Host == "" {
		return ""
	}
	return " to " + to.Scheme + "://" + to.Host
}

// extract reads an answer to its end, unless it is long, so that the
// connection can be used again; it returns the beginning, on one line.
func extract(body io.Reader, secrets []string) string {
	const most = 200
	text, _ := io.ReadAll(io.LimitReader(body, 64<<10))
	said := string(text)
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
