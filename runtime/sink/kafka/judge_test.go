// SPDX-License-Identifier: Apache-2.0

package kafka

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// What is refused for good is listed; no other code that there is, or that there
// may be one day, loses a row.
func TestACodeDecidesWhatBecomesOfARow(t *testing.T) {
	var never []string
	p := &producer{brokers: "brokers a:1"}
	for code := int16(-1); code < 300; code++ {
		err := kerr.ErrorForCode(code)
		if err == nil {
			continue
		}
		verdict, permanent := p.judge("rows", fmt.Errorf("%w (uncompressed_bytes=%d)", err, code))
		if permanent {
			never = append(never, err.(*kerr.Error).Message)
		}
		if text := verdict.Error(); !strings.HasPrefix(text, "topic rows: "+err.(*kerr.Error).Message) && !strings.HasPrefix(text, "brokers a:1: "+err.(*kerr.Error).Message) || strings.Contains(text, "bytes=") {
			t.Errorf("%d: got %s", code, text)
		}
	}
	if want := []string{"MESSAGE_TOO_LARGE", "RECORD_LIST_TOO_LARGE", "INVALID_TIMESTAMP", "UNSUPPORTED_FOR_MESSAGE_FORMAT", "POLICY_VIOLATION", "INVALID_RECORD"}; !slices.Equal(never, want) {
		t.Errorf("got %q refused for good, want %q", never, want)
	}
}

func TestTheSameTroubleReadsTheSame(t *testing.T) {
	dial := func(port int) error {
		return &net.OpError{Op: "dial", Net: "tcp", Source: &net.TCPAddr{Port: port}, Addr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9092}, Err: errors.New("connection refused")}
	}
	p := &producer{brokers: "brokers a:1", timeout: time.Second}
	for _, c := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("unable to dial: %w", dial(1)), "brokers a:1: dial tcp 127.0.0.1:9092: connection refused"},
		{fmt.Errorf("no partitions available after attempting to refresh metadata %d times, last err: %w", 7, fmt.Errorf("unable to dial: %w", dial(2))), "brokers a:1: dial tcp 127.0.0.1:9092: connection refused"},
		{fmt.Errorf("no partitions available after attempting to refresh metadata %d times, last err: %w", 4, fmt.Errorf("unable to dial: %w", x509.UnknownAuthorityError{})), "brokers a:1: x509: certificate signed by unknown authority"},
		{fmt.Errorf("x: %w", io.EOF), "brokers a:1: a broker ends connections: does it go down, or does it want other tls, sasl or user?"},
		{&net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, "brokers a:1: no answer within 1s (timeout)"},
		{kgo.ErrRecordRetries, "topic rows: brokers refuse the same records again and again"},
		{kgo.ErrClientClosed, "brokers a:1: client closed"},
		{fmt.Errorf("%w: no: hunter2", kerr.SaslAuthenticationFailed), "brokers a:1: SASL_AUTHENTICATION_FAILED: rows wait until the brokers take user and password, whose file is read for each connection"},
	} {
		if got, permanent := p.judge("rows", c.err); got.Error() != c.want || permanent {
			t.Errorf("%v: got %v, %t, want %s", c.err, got, permanent, c.want)
		}
	}
	p.trouble.note(dial(3))
	if got, _ := p.judge("rows", kgo.ErrRecordRetries); got.Error() != "brokers a:1: dial tcp 127.0.0.1:9092: connection refused" {
		t.Errorf("got %v, want what happened to the connection", got)
	}
}
