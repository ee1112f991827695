// SPDX-License-Identifier: Apache-2.0

package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/redsift/ingraind/runtime/sink/internal/remote"
)

// hopeless are the codes that the same record will get for ever. All others wait
// for somebody to mend what is wrong: rights, topics, settings, brokers.
var hopeless = map[*kerr.Error]bool{
	kerr.MessageTooLarge:             true,
	kerr.RecordListTooLarge:          true,
	kerr.InvalidTimestamp:            true,
	kerr.InvalidRecord:               true,
	kerr.UnsupportedForMessageFormat: true,
	kerr.PolicyViolation:             true,
}

// hints are what to do about a code.
var hints = map[*kerr.Error]string{
	kerr.MessageTooLarge:              ": set max_size to the topic's max.message.bytes, or make that larger",
	kerr.RecordListTooLarge:           ": the topic's segments are smaller than a batch",
	kerr.InvalidRecord:                ": a compacted topic takes only records with a key",
	kerr.InvalidTimestamp:             ": the topic's bounds on timestamps do not admit the row's time",
	kerr.UnknownTopicOrPartition:      ": there is no such topic: make it, or set create_topics to true",
	kerr.UnknownTopicID:               ": the topic has been removed, or another made in its place",
	kerr.InvalidTopicException:        ": the brokers take no such name: set topic to another",
	kerr.TopicAuthorizationFailed:     ": rows wait until the user may write to it",
	kerr.ClusterAuthorizationFailed:   ": rows wait until the user may write idempotently (IDEMPOTENT_WRITE), or set acks to leader",
	kerr.SaslAuthenticationFailed:     ": rows wait until the brokers take user and password, whose file is read for each connection",
	kerr.UnsupportedSaslMechanism:     ": the brokers want another sasl",
	kerr.IllegalSaslState:             ": the brokers want no sasl there, or TLS",
	kerr.NotEnoughReplicas:            ": fewer replicas are in sync than the topic's min.insync.replicas",
	kerr.NotEnoughReplicasAfterAppend: ": fewer replicas are in sync than the topic's min.insync.replicas",
	kerr.UnsupportedCompressionType:   ": set compression to another",
}

// judge says what the error of a record means: in a text that is the same for
// the same trouble, because a lane tells each once, and that holds nothing that
// a broker says itself, which may be what it was told.
func (p *producer) judge(topic string, err error) (verdict error, permanent bool) {
	var code *kerr.Error
	switch {
	case errors.As(err, &code) && !aboutConnection(code):
		return fmt.Errorf("topic %s: %s%s", topic, code.Message, hints[code]), hopeless[code]
	case !errors.Is(err, kgo.ErrRecordRetries):
		return p.named(err), false
	}
	if last := p.trouble.last(); last != nil {
		return p.named(last), false
	}
	return fmt.Errorf("topic %s: brokers refuse the same records again and again", topic), false
}

// isLasting reports whether the client may go on saying what it was told once:
// that a user has no right to a producer's id or to a topic, that there is no such
// topic, or how many partitions one had. It asks again never, or not for minutes.
func isLasting(err error) bool {
	var code *kerr.Error
	return !errors.As(err, &code) || !code.Retriable || code == kerr.UnknownTopicOrPartition || code == kerr.UnknownTopicID
}

// aboutConnection reports whether a code is the answer to a connection.
func aboutConnection(code *kerr.Error) bool {
	return code == kerr.SaslAuthenticationFailed || code == kerr.UnsupportedSaslMechanism || code == kerr.IllegalSaslState
}

// wrapping is what the client writes in front of the errors that it had.
var wrapping = regexp.MustCompile(`^(no partitions available after attempting to refresh metadata \d+ times, last err: |unable to initialize a producer ID due to request failures: |unable to dial: )+`)

// named is an error of the network, or of a connection.
func (p *producer) named(err error) error {
	var code *kerr.Error
	var op *net.OpError
	var late net.Error
	switch {
	case errors.As(err, &code):
		return fmt.Errorf("%s: %s%s", p.brokers, code.Message, hints[code])
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%s: a broker ends connections: does it go down, or does it want other tls, sasl or user?", p.brokers)
	case errors.As(err, &late) && late.Timeout():
		return p.silent()
	case errors.As(err, &op):
		err = op
	}
	if err = remote.Lasting(err); errors.Is(err, remote.ErrNoTLS) {
		err = fmt.Errorf("%w: is tls to be false?", err)
	}
	return fmt.Errorf("%s: %s", p.brokers, wrapping.ReplaceAllString(err.Error(), ""))
}

// silent is the error of brokers that do not answer.
func (p *producer) silent() error {
	if p.timeout == 0 {
		return fmt.Errorf("%s: no answer", p.brokers)
	}
	return fmt.Errorf("%s: no answer within %s (timeout)", p.brokers, p.timeout)
}

var _ interface {
	kgo.HookBrokerConnect
	kgo.HookBrokerE2E
} = (*trouble)(nil)

// trouble is why brokers could not be talked to the last time; nothing when they
// could. The client tells it on goroutines of its own.
type trouble struct {
	mu  sync.Mutex
	err error
}

// OnBrokerConnect is called after each attempt to connect.
func (t *trouble) OnBrokerConnect(_ kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	t.note(err)
}

// OnBrokerE2E is called after each request.
func (t *trouble) OnBrokerE2E(_ kgo.BrokerMetadata, _ int16, e2e kgo.BrokerE2E) { t.note(e2e.Err()) }

// note leaves out what a client says that is closed.
func (t *trouble) note(err error) {
	if errors.Is(err, kgo.ErrClientClosed) || errors.Is(err, net.ErrClosed) || errors.Is(err, context.Canceled) {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.err = err
}

func (t *trouble) last() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}
