// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
)

// ErrNoTLS is what Lasting makes of a receiver that does not speak TLS.
var ErrNoTLS = errors.New("the receiver does not speak TLS there")

// Lasting is an error of the network without what differs from attempt to
// attempt, such as the port that this side had: a lane tells equal errors once.
func Lasting(err error) error {
	var invalid x509.CertificateInvalidError
	if errors.As(err, &invalid) && invalid.Reason == x509.Expired && invalid.Cert != nil {
		const day = "2006-01-02 15:04 MST"
		return fmt.Errorf("the certificate of the receiver is good from %s until %s", invalid.Cert.NotBefore.UTC().Format(day), invalid.Cert.NotAfter.UTC().Format(day))
	}
	var noTLS tls.RecordHeaderError
	if errors.As(err, &noTLS) {
		return ErrNoTLS
	}
	var dns *net.DNSError
	if errors.As(err, &dns) && dns.IsTimeout {
		return fmt.Errorf("lookup %s: the name server does not answer", dns.Name)
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Source != nil {
		return &net.OpError{Op: op.Op, Net: op.Net, Addr: op.Addr, Err: op.Err}
	}
	return err
}
