// SPDX-License-Identifier: Apache-2.0

package http

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/sink/internal/remote"
)

// headers are those of each request. Files are read anew each time: they are
// small, and a secret that was renewed is in use with the next attempt.
type headers struct {
	set       http.Header // as set, and this sink's own
	file      string
	tokenFile string
	hidden    []string // what else no message may repeat
}

// newHeaders reads the settings about headers, and tries the files.
func newHeaders(s runtime.Settings, to *url.URL) (headers, error) {
	h := headers{set: http.Header{}, file: s.Text("headers_file"), tokenFile: s.Text("token_file")}
	err := addHeaders(h.set, "headers", strings.FieldsFunc(s.Text("headers"), func(r rune) bool { return r == ',' || r == '\n' }))
	if to.RequestURI() != "/" {
		h.hidden = append(h.hidden, to.RequestURI(), to.Path)
	}
	if to.User != nil {
		password, _ := to.User.Password()
		basic := base64.StdEncoding.EncodeToString([]byte(to.User.Username() + ":" + password))
		h.hidden = append(h.hidden, password, basic)
		if h.tokenFile != "" || h.set.Get("Authorization") != "" {
			err = errors.Join(err, errors.New("url: it has a name and password, and there is another Authorization: keep one"))
		}
		h.set.Set("Authorization", "Basic "+basic)
	} else if h.tokenFile != "" && h.set.Get("Authorization") != "" {
		err = errors.Join(err, errors.New("token_file: there is an Authorization among headers: keep one"))
	}
	if err != nil {
		return h, err
	}
	_, _, err = h.read()
	return h, err
}

// own adds what this sink says itself. A user may call it otherwise.
func (h *headers) own(contentType string, gzipped bool) {
	for name, value := range map[string]string{"Content-Type": contentType, "User-Agent": "ingraind"} {
		if h.set.Get(name) == "" {
			h.set.Set(name, value)
		}
	}
	if gzipped {
		h.set.Set("Content-Encoding", "gzip")
	}
}

// read is the headers of the next request, and what no message may repeat.
func (h *headers) read() (http.Header, []string, error) {
	head := h.set.Clone()
	if h.file != "" {
		text, err := remote.Secret("headers_file", h.file)
		if err != nil {
			return nil, nil, err
		}
		read := http.Header{}
		if err := addHeaders(read, "headers_file", strings.Split(text, "\n")); err != nil {
			return nil, nil, err
		}
		for name, values := range read {
			head[name] = values
		}
	}
	if h.tokenFile != "" {
		token, err := remote.Secret("token_file", h.tokenFile)
		if err != nil {
			return nil, nil, err
		}
		if token = strings.TrimSpace(token); token == "" || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
			return nil, nil, fmt.Errorf("token_file: want one token in %s, without spaces, and nothing else", h.tokenFile)
		}
		head.Set("Authorization", "Bearer "+token)
	}
	secrets := append([]string(nil), h.hidden...)
	for name, values := range head {
		if name == "Content-Type" || name == "Content-Encoding" || name == "User-Agent" {
			continue
		}
		secrets = append(secrets, values...)
		if name == "Authorization" {
			if _, credentials, ok := strings.Cut(values[0], " "); ok {
				secrets = append(secrets, credentials)
			}
		}
	}
	return head, secrets, nil
}

// addHeaders adds lines such as "Name: value" of a setting. Errors count the
// lines, because what is in them may be a secret.
func addHeaders(to http.Header, setting string, lines []string) error {
	var errs []error
	for i, line := range lines {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		switch {
		case !ok || !isToken(name) || value == "" || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }):
			more := ""
			if setting == "headers" {
				more = "; a value with a comma in it goes into headers_file"
			}
			errs = append(errs, fmt.Errorf("%s: number %d is no Name: value%s", setting, i+1, more))
		case isReserved(name):
			errs = append(errs, fmt.Errorf("%s: %s is not to be set, for it follows from the batch and the url", setting, name))
		default:
			to.Add(name, value)
		}
	}
	return errors.Join(errs...)
}

// isToken reports whether a header may be called so (RFC 9110, 5.6.2).
func isToken(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
}

func isReserved(name string) bool {
	switch http.CanonicalHeaderKey(name) {
	case "Host", "Connection", "Content-Length", "Content-Encoding", "Transfer-Encoding", "Trailer", "Te", "Upgrade", "Expect", "Idempotency-Key":
		return true
	}
	return false
}
