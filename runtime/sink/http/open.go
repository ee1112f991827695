// SPDX-License-Identifier: Apache-2.0

package http

import (
	"compress/gzip"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/sink/internal/remote"
)

// open reads the settings. It does not connect: a receiver that is away when
// the agent starts is one more outage.
func open(s runtime.Settings) (runtime.Sink, error) {
	to, urlErr := parseURL(s.Text("url"))
	timeout, timeoutErr := s.Duration("timeout")
	w := &webhook{timeout: timeout}
	formatErr := w.setFormat(s.Text("format"))
	compressionErr := w.setCompression(s.Text("compression"))
	if err := errors.Join(urlErr, formatErr, compressionErr, timeoutErr); err != nil {
		return nil, err
	}
	w.receiver = "POST " + to.Scheme + "://" + to.Host
	headers, headersErr := newHeaders(s, to)
	trust, trustErr := remote.Trust(s)
	if to.Scheme != "https" && remote.AsksTrust(s) {
		trustErr = errors.New("url: ca_file, cert_file and key_file are for one that begins with https://")
	}
	to.User = nil
	w.url, w.headers = to, headers
	if err := errors.Join(headersErr, trustErr, checkProxy(to)); err != nil {
		return nil, err
	}
	w.headers.own(w.contentType(), w.gzip != nil)
	w.transport = &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		TLSClientConfig:     trust,
		DisableCompression:  true,
		MaxIdleConnsPerHost: 1,
		IdleConnTimeout:     90 * time.Second,
		Protocols:           new(http.Protocols),
	}
	// One request at a time has no use for HTTP/2, and a connection of HTTP/1
	// on which no answer came is never used again.
	w.transport.Protocols.SetHTTP1(true)
	return w, nil
}

// parseURL says nothing of what is in a URL that it refuses: it may be a secret.
func parseURL(text string) (*url.URL, error) {
	const such = "such as https://events.example.com/rows"
	if text == "" {
		return nil, errors.New("url: the http sink needs one, " + such)
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "":
		return nil, errors.New("url: this is no URL " + such)
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("url: want one that begins with https:// or http://, " + such)
	case u.Fragment != "":
		return nil, errors.New("url: what follows # is never sent; write # inside of a path as %23")
	}
	return u, nil
}

func (w *webhook) setFormat(text string) error {
	switch text {
	case "ndjson":
	case "json":
		w.array = true
	default:
		return fmt.Errorf("format: %q is neither ndjson nor json", text)
	}
	return nil
}

func (w *webhook) setCompression(text string) error {
	switch text {
	case "none":
	case "gzip":
		var err error
		w.gzip, err = gzip.NewWriterLevel(nil, gzip.BestSpeed)
		return err
	default:
		return fmt.Errorf("compression: %q is neither none nor gzip", text)
	}
	return nil
}

// checkProxy sees that the environment's proxy can be used. What is wrong with
// it may hold its password.
func checkProxy(to *url.URL) error {
	proxy, err := http.ProxyFromEnvironment(&http.Request{URL: to})
	if err != nil || proxy != nil && (proxy.Host == "http:" || proxy.Host == "https:") { // as http://http:// would be read
		return fmt.Errorf("the proxy of the environment, %s_PROXY, is no URL such as http://proxy.example.com:3128", map[string]string{"http": "HTTP", "https": "HTTPS"}[to.Scheme])
	}
	return nil
}
