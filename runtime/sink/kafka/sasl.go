// SPDX-License-Identifier: Apache-2.0

package kafka

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/sink/internal/remote"
)

const passwordVariable = "KAFKA_PASSWORD"

// credentials are who the agent is. The file is read for each connection: a
// password that was renewed is in use with the next.
type credentials struct{ user, file string }

func (c credentials) password() (string, error) {
	if c.file == "" {
		return os.Getenv(passwordVariable), nil
	}
	text, err := remote.Secret("password_file", c.file)
	if err != nil {
		return "", err
	}
	if text = strings.TrimRight(text, "\r\n"); text == "" || strings.ContainsAny(text, "\r\n\x00") {
		return "", fmt.Errorf("password_file: want one line in %s, the password", c.file)
	}
	return text, nil
}

// newMechanism reads the settings about SASL, and tries the file; nil: there is none.
func newMechanism(s runtime.Settings) (sasl.Mechanism, error) {
	c := credentials{user: s.Text("user"), file: s.Text("password_file")}
	var m sasl.Mechanism
	hashed := func(context.Context) (scram.Auth, error) {
		password, err := c.password()
		return scram.Auth{User: c.user, Pass: password}, err
	}
	switch name := strings.ToLower(s.Text("sasl")); name {
	case "none":
		if c.user+c.file != "" {
			return nil, errors.New("sasl: user and password_file are for plain, scram-sha-256 or scram-sha-512")
		}
		return nil, nil
	case "plain":
		m = plain.Plain(func(context.Context) (plain.Auth, error) {
			password, err := c.password()
			return plain.Auth{User: c.user, Pass: password}, err
		})
	case "scram-sha-256":
		m = scram.Sha256(hashed)
	case "scram-sha-512":
		m = scram.Sha512(hashed)
	default:
		return nil, fmt.Errorf("sasl: %q is none of none, plain, scram-sha-256, scram-sha-512", s.Text("sasl"))
	}
	if c.user == "" || strings.Contains(c.user, "\x00") {
		return nil, fmt.Errorf("user: sasl=%s wants one", s.Text("sasl"))
	}
	password, err := c.password()
	if err == nil && password == "" {
		err = fmt.Errorf("password_file: sasl=%s wants one, or a password in the variable %s", s.Text("sasl"), passwordVariable)
	}
	return discreet{m}, err
}

// discreet keeps what a broker says out of errors: it may repeat what it was told.
type discreet struct{ sasl.Mechanism }

func (d discreet) Authenticate(ctx context.Context, host string) (sasl.Session, []byte, error) {
	s, first, err := d.Mechanism.Authenticate(ctx, host)
	return discreetSession{s}, first, err
}

type discreetSession struct{ sasl.Session }

func (d discreetSession) Challenge(b []byte) (bool, []byte, error) {
	done, answer, err := d.Session.Challenge(b)
	if err != nil {
		err = kerr.SaslAuthenticationFailed
	}
	return done, answer, err
}
