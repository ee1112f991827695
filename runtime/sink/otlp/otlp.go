// SPDX-License-Identifier: Apache-2.0

// Package otlp is the sink that sends rows to an OpenTelemetry collector, or to
// whatever else speaks OTLP: those of streams as log records, those of tables
// as metrics. docs/sinks/otlp.md says what becomes of what.
//
// A batch that has both is two requests. What the receiver has taken of it is
// remembered by the batch's name, so that the other is sent again alone.
package otlp

import (
	"slices"

	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/sink/internal/remote"
)

// The protocols, as OpenTelemetry names them.
const (
	overHTTP = "http/protobuf"
	overGRPC = "grpc"
)

// Part is the sink "otlp".
func Part() runtime.Part {
	return runtime.Part{
		Name: "otlp",
		Help: "Sends events as log records and tables as metrics to an OpenTelemetry collector.",
		Settings: slices.Concat([]runtime.Setting{
			{Name: "endpoint", Help: "Where to, such as https://otel.example.com:4318; without it http://localhost:4318, or :4317 for grpc."},
			{Name: "protocol", Default: overHTTP, Help: "http/protobuf or grpc."},
			{Name: "compression", Default: "gzip", Help: "gzip or none."},
			{Name: "headers", Help: "Headers to send, as in: x-team=kernel,x-zone=a. Values may be percent-encoded. What is secret goes into headers_file."},
			{Name: "headers_file", Help: "A file with a header a line, as in: Authorization: Bearer 123. It is read for each request."},
			{Name: "service_name", Default: "ingraind", Help: "The resource's service.name."},
			{Name: "resource_attributes", Help: "More of the resource's attributes, as in: deployment.environment.name=test,rack=7. Values may be percent-encoded."},
		}, remote.TrustSettings(), []runtime.Setting{
			{Name: "timeout", Default: "10s", Help: "How long an answer may take before the batch is sent again; 0 for as long as it likes."},
		}),
		Spool:     runtime.SpoolTrouble,
		Variables: variables(),
		Environ:   environ,
		Open:      open,
	}
}

func variables() []runtime.Variable {
	return []runtime.Variable{
		{Name: "OTEL_EXPORTER_OTLP_ENDPOINT", Help: "Turns the sink otlp on, and is its endpoint."},
		{Name: "OTEL_EXPORTER_OTLP_PROTOCOL", Help: "Its protocol: http/protobuf or grpc."},
		{Name: "OTEL_EXPORTER_OTLP_HEADERS", Help: "Its headers."},
		{Name: "OTEL_EXPORTER_OTLP_TIMEOUT", Help: "Its timeout, in milliseconds."},
		{Name: "OTEL_EXPORTER_OTLP_COMPRESSION", Help: "Its compression: gzip or none."},
		{Name: "OTEL_EXPORTER_OTLP_CERTIFICATE", Help: "Its ca_file."},
		{Name: "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", Help: "Its cert_file."},
		{Name: "OTEL_EXPORTER_OTLP_CLIENT_KEY", Help: "Its key_file."},
		{Name: "OTEL_RESOURCE_ATTRIBUTES", Help: "Its resource_attributes."},
		{Name: "OTEL_SERVICE_NAME", Help: "Its service_name."},
	}
}

// environ is what the variables ask for. One that is empty is as one that is
// not set.
func environ(lookup func(name string) string) (runtime.Settings, bool) {
	s := runtime.Settings{}
	for setting, name := range map[string]string{
		"endpoint":            "OTEL_EXPORTER_OTLP_ENDPOINT",
		"protocol":            "OTEL_EXPORTER_OTLP_PROTOCOL",
		"headers":             "OTEL_EXPORTER_OTLP_HEADERS",
		"timeout":             "OTEL_EXPORTER_OTLP_TIMEOUT",
		"compression":         "OTEL_EXPORTER_OTLP_COMPRESSION",
		"ca_file":             "OTEL_EXPORTER_OTLP_CERTIFICATE",
		"cert_file":           "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
		"key_file":            "OTEL_EXPORTER_OTLP_CLIENT_KEY",
		"resource_attributes": "OTEL_RESOURCE_ATTRIBUTES",
		"service_name":        "OTEL_SERVICE_NAME",
	} {
		if value := lookup(name); value != "" {
			s[setting] = value
		}
	}
	if ms := s["timeout"]; ms != "" {
		s["timeout"] = ms + "ms"
	}
	return s, s["endpoint"] != ""
}
