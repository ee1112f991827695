// SPDX-License-Identifier: Apache-2.0

package kafka

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/sink/internal/remote"
)

// The bounds of max_size: a record of some length, and what a request can hold.
const (
	leastSize = 4 << 10
	mostSize  = 100e6
)

// open reads the settings. It does not connect: brokers that are away when the
// agent starts are one more outage.
func open(s runtime.Settings) (runtime.Sink, error) {
	brokers, brokersErr := parseBrokers(s.Text("brokers"))
	topic, topicErr := parseTopic(s.Text("topic"))
	key, keyErr := parseTemplate("key", s.Text("key"))
	acks, acksErr := acksOf(s.Text("acks"))
	codecs, codecErr := codecsOf(s.Text("compression"))
	host, hostErr := hostOf(s.Text("hostname"))
	size, sizeErr := s.Bytes("max_size")
	if sizeErr == nil && (size < leastSize || size > mostSize) {
		sizeErr = errors.New("max_size: want from 4KiB to 100MB")
	}
	var idErr error
	if id := s.Text("client_id"); id == "" || len(id) > 249 {
		idErr = errors.New("client_id: want one of up to 249 characters, such as ingraind")
	}
	create, createErr := s.Bool("create_topics")
	secure, secureErr := s.Bool("tls")
	trust, trustErr := remote.Trust(s)
	if secureErr == nil && !secure && remote.AsksTrust(s) {
		trustErr = errors.New("tls: it is false, and ca_file, cert_file and key_file are for true")
	}
	mechanism, saslErr := newMechanism(s)
	timeout, timeoutErr := s.Duration("timeout")
	if err := errors.Join(brokersErr, topicErr, keyErr, acksErr, codecErr, idErr, hostErr, createErr, sizeErr, secureErr, trustErr, saslErr, timeoutErr); err != nil {
		return nil, err
	}
	p := &producer{
		brokers: "brokers " + strings.Join(brokers, ","), encoding: newEncoding(host, key),
		topic: topic, topics: map[string]string{}, host: []byte(host), timeout: timeout,
	}
	p.options = append(acks,
		kgo.SeedBrokers(brokers...),
		kgo.ClientID(s.Text("client_id")),
		kgo.ProducerBatchCompression(codecs...),
		kgo.ProducerBatchMaxBytes(int32(size)),
		kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)),
		kgo.WithHooks(&p.trouble),
		// A batch is there as a whole before the first of it is sent, and then
		// waited for: its records of one partition are one request.
		kgo.ManualFlushing(),
		// The lane is who tries again; the client only where it alone can do so
		// without doubling records, and where a leader has just moved.
		kgo.RecordRetries(3),
		kgo.MetadataMinAge(250*time.Millisecond),
		kgo.DisableClientMetrics(),
	)
	if timeout > 0 {
		bound := min(max(timeout, 100*time.Millisecond), 15*time.Minute)
		p.options = append(p.options, kgo.DialTimeout(bound), kgo.RequestTimeoutOverhead(bound), kgo.ProduceRequestTimeout(bound), kgo.RetryTimeout(bound))
	}
	if create {
		p.options = append(p.options, kgo.AllowAutoTopicCreation())
	}
	if secure {
		p.options = append(p.options, kgo.DialTLSConfig(trust))
	}
	if mechanism != nil {
		p.options = append(p.options, kgo.SASL(mechanism))
	}
	return p, p.connect()
}

// parseBrokers takes a list apart. Whether hosts have addresses is found out
// when there is something to send.
func parseBrokers(text string) ([]string, error) {
	var brokers []string
	for _, one := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' }) {
		host, port, err := net.SplitHostPort(one)
		n, portErr := strconv.ParseUint(port, 10, 16)
		if err != nil || portErr != nil || host == "" || n == 0 || strings.ContainsAny(one, "/@") {
			return nil, fmt.Errorf("brokers: number %d is no host and port such as kafka.example.com:9092", len(brokers)+1)
		}
		brokers = append(brokers, one)
	}
	if len(brokers) == 0 {
		return nil, errors.New("brokers: the kafka sink needs some, such as kafka.example.com:9092; KAFKA_BROKERS may name them as well")
	}
	return brokers, nil
}

// acksOf is what makes a producer that waits for so many. Brokers tell what came
// twice only where all replicas acknowledge.
func acksOf(text string) ([]kgo.Opt, error) {
	switch text {
	case "all":
		return nil, nil
	case "leader":
		return []kgo.Opt{kgo.RequiredAcks(kgo.LeaderAck()), kgo.DisableIdempotentWrite()}, nil
	case "none":
		return []kgo.Opt{kgo.RequiredAcks(kgo.NoAck()), kgo.DisableIdempotentWrite()}, nil
	}
	return nil, fmt.Errorf("acks: %q is none of all, leader, none", text)
}

// codecsOf is a compression, and none for brokers that are too old for it.
func codecsOf(text string) ([]kgo.CompressionCodec, error) {
	none := kgo.NoCompression()
	switch text {
	case "none":
		return []kgo.CompressionCodec{none}, nil
	case "zstd":
		return []kgo.CompressionCodec{kgo.ZstdCompression(), none}, nil
	case "lz4":
		return []kgo.CompressionCodec{kgo.Lz4Compression(), none}, nil
	case "snappy":
		return []kgo.CompressionCodec{kgo.SnappyCompression(), none}, nil
	case "gzip":
		return []kgo.CompressionCodec{kgo.GzipCompression(), none}, nil
	}
	return nil, fmt.Errorf("compression: %q is none of zstd, lz4, snappy, gzip, none", text)
}

func hostOf(text string) (string, error) {
	if text != "" {
		return text, nil
	}
	host, err := os.Hostname()
	if err != nil {
		return "", fmt.Errorf("hostname: this machine has none: %w", err)
	}
	return host, nil
}
