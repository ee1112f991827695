// SPDX-License-Identifier: Apache-2.0

// Package kafka is the sink that produces each row as a record of Apache Kafka,
// or of what else speaks its protocol.
//
// A batch is given to an idempotent producer once. While brokers are away it
// stays there, so that an answer that was lost does not double it; Ship only
// waits for it again. What brokers refused for now is produced anew. Each record
// says which batch it is of, and where in that: a consumer can tell what came
// twice, from two agents that took over from one another.
package kafka

import (
	_ "embed"
	"slices"

	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/sink/internal/remote"
)

// Part is the sink "kafka".
func Part() runtime.Part {
	return runtime.Part{
		Name: "kafka",
		Help: "Produces each row as a record of Kafka, in JSON.",
		Settings: slices.Concat([]runtime.Setting{
			{Name: "brokers", Help: "Some of the brokers, from which it learns of the others, as in: a.example.com:9092,b.example.com:9092; required."},
			{Name: "topic", Default: "ingraind", Help: "Where records go; {grain} and {event} in it are the row's, as in: ingraind.{grain}.{event}."},
			{Name: "key", Help: "The records' key, of {host}, {grain}, {event} and fields of the row, as in: {host}/{who.cgroup}. Those of one key stay in order. Without it a batch goes to any one partition."},
			{Name: "acks", Default: "all", Help: "Who must have a batch: all replicas in sync, the leader, or none."},
			{Name: "compression", Default: "zstd", Help: "zstd, lz4, snappy, gzip or none."},
			{Name: "client_id", Default: "ingraind", Help: "What brokers call this agent in their logs and quotas."},
			{Name: "hostname", Help: "The header ingraind.host, and {host} of a key; the machine's when empty."},
			{Name: "create_topics", Default: "false", Help: "true: brokers are asked to make topics that they do not have."},
			{Name: "max_size", Default: "1MB", Help: "How large a record, or several, may be before compression: the topic's max.message.bytes."},
			{Name: "tls", Default: "false", Help: "true: connections are TLS."},
		}, remote.TrustSettings(), []runtime.Setting{
			{Name: "sasl", Default: "none", Help: "How it says who it is: none, plain, scram-sha-256 or scram-sha-512."},
			{Name: "user", Help: "The user, for sasl."},
			{Name: "password_file", Help: "A file with the user's password, which is read for each connection; without it the variable KAFKA_PASSWORD has the password."},
			{Name: "timeout", Default: "10s", Help: "How long brokers may take for a batch before that is an outage; 0 for as long as they like."},
		}),
		Spool: runtime.SpoolTrouble,
		Variables: []runtime.Variable{
			{Name: "KAFKA_BROKERS", Help: "Turns the sink kafka on, with these brokers."},
			{Name: "KAFKA_TOPIC", Help: "Its topic."},
			{Name: "KAFKA_TLS", Help: "Its tls: true or false."},
			{Name: "KAFKA_SASL", Help: "Its sasl: none, plain, scram-sha-256 or scram-sha-512."},
			{Name: "KAFKA_USER", Help: "Its user."},
			{Name: passwordVariable, Help: "Its user's password."},
		},
		Environ:  environ,
		Open:     open,
		Licences: licences,
	}
}

// licences are those of what this sink links.
//
//go:embed licences.txt
var licences string

// environ is what the variables ask for. The password is in no setting: those
// are shown.
func environ(lookup func(name string) string) (runtime.Settings, bool) {
	s := runtime.Settings{}
	for setting, name := range map[string]string{
		"brokers": "KAFKA_BROKERS",
		"topic":   "KAFKA_TOPIC",
		"tls":     "KAFKA_TLS",
		"sasl":    "KAFKA_SASL",
		"user":    "KAFKA_USER",
	} {
		if value := lookup(name); value != "" {
			s[setting] = value
		}
	}
	return s, s["brokers"] != ""
}
