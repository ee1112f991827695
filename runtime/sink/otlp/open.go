// SPDX-License-Identifier: Apache-2.0

package otlp

import (
	"compress/gzip"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/sink/internal/remote"
)

// open reads the settings. It does not connect.
func open(s runtime.Settings) (runtime.Sink, error) {
	protocol := s.Text("protocol")
	var protocolErr, compressionErr, nameErr error
	if protocol != overHTTP && protocol != overGRPC {
		protocolErr = fmt.Errorf("protocol: %q is neither %s nor %s", protocol, overHTTP, overGRPC)
	}
	to, toErr := parseEndpoint(s.Text("endpoint"), protocol)
	if name := s.Text("service_name"); name == "" {
		nameErr = errors.New("service_name: want one, such as ingraind")
	}
	e := &exporter{encoding: newEncoding(), grpc: protocol == overGRPC, took: map[string]*taken{}}
	switch text := s.Text("compression"); text {
	case "none":
	case "gzip":
		e.gzip, compressionErr = gzip.NewWriterLevel(nil, gzip.BestSpeed)
	default:
		compressionErr = fmt.Errorf("compression: %q is neither gzip nor none", text)
	}
	var timeoutErr, headersErr, resourceErr, trustErr error
	e.timeout, timeoutErr = s.Duration("timeout")
	e.headers, headersErr = newHeaders(s)
	e.resource, resourceErr = newResource(s)
	trust, trustErr := remote.Trust(s)
	if to != nil && to.Scheme != "https" && remote.AsksTrust(s) {
		trustErr = errors.New("endpoint: ca_file, cert_file and key_file are for one that begins with https://")
	}
	if err := errors.Join(toErr, protocolErr, compressionErr, nameErr, timeoutErr, headersErr, resourceErr, trustErr); err != nil {
		return nil, err
	}
	e.receiver = "OTLP " + to.Scheme + "://" + to.Host
	e.url = to
	e.transport = &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		TLSClientConfig:     trust,
		DisableCompression:  true,
		MaxIdleConnsPerHost: 1,
		IdleConnTimeout:     90 * time.Second,
		Protocols:           new(http.Protocols),
	}
	switch {
	case !e.grpc:
		e.transport.Protocols.SetHTTP1(true)
	case to.Scheme == "https":
		e.transport.Protocols.SetHTTP2(true)
	default:
		e.transport.Protocols.SetUnencryptedHTTP2(true)
		e.transport.Proxy = nil // no proxy takes HTTP/2 without TLS
	}
	if e.grpc {
		// A receiver that is stuck keeps its connection: ask whether it lives.
		e.transport.HTTP2 = &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 10 * time.Second}
	}
	return e, nil
}

// parseEndpoint says nothing of what is in a URL that it refuses.
func parseEndpoint(text, protocol string) (*url.URL, error) {
	const such = "such as https://otel.example.com:4318"
	if text == "" {
		text = "http://localhost:4318"
		if protocol == overGRPC {
			text = "http://localhost:4317"
		}
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("endpoint: want a URL that begins with https:// or http://, " + such)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("endpoint: want no name, password, ? or # in it; credentials go into headers_file")
	case protocol == overGRPC && strings.Trim(u.Path, "/") != "":
		return nil, errors.New("endpoint: for grpc it has no path, " + such)
	}
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), ""
	return u, nil
}

// pairs takes a list apart, key=value,key=value, with values percent-encoded,
// as the variables of OpenTelemetry have it. Errors count, for what is in it
// may be a secret.
func pairs(setting, text string, each func(name, value string) error) error {
	var errs []error
	for i, pair := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == '\n' }) {
		if pair = strings.TrimSpace(pair); pair == "" {
			continue
		}
		name, value, ok := strings.Cut(pair, "=")
		name = strings.TrimSpace(name)
		value, err := url.PathUnescape(strings.TrimSpace(value))
		if !ok || name == "" || err != nil {
			errs = append(errs, fmt.Errorf("%s: number %d is no name=value; write %%2C for a comma in a value, %%25 for a percent sign", setting, i+1))
		} else if err := each(name, value); err != nil {
			errs = append(errs, fmt.Errorf("%s: number %d: %w", setting, i+1, err))
		}
	}
	return errors.Join(errs...)
}

// newResource is the attributes of a Resource: what service.name says wins over
// what is among the attributes.
func newResource(s runtime.Settings) ([]byte, error) {
	const attribute = 1
	var more []byte
	host, named := "", s.Text("service_name")
	err := pairs("resource_attributes", s.Text("resource_attributes"), func(name, value string) error {
		switch name {
		case "ingraind.batch":
			return errors.New("ingraind.batch is the batch's name, and not to be set")
		case "service.name":
			if named == "ingraind" { // nobody asked for another
				named = value
			}
			return nil
		case "host.name":
			host = value
			return nil
		}
		more = appendAttributeString(more, attribute, name, value)
		return nil
	})
	if host == "" {
		host, _ = os.Hostname() // without one, there is no attribute
	}
	resource := appendAttributeString(nil, attribute, "service.name", named)
	if host != "" {
		resource = appendAttributeString(resource, attribute, "host.name", host)
	}
	return append(resource, more...), err
}
