// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"

	"github.com/redsift/ingraind/runtime"
)

// TrustSettings are the settings that Trust reads.
func TrustSettings() []runtime.Setting {
	return []runtime.Setting{
		{Name: "ca_file", Help: "A PEM file: who may have signed the receiver's certificate, instead of those the system trusts."},
		{Name: "cert_file", Help: "A PEM file: the certificate that this agent shows. It is read for each connection."},
		{Name: "key_file", Help: "A PEM file: the key of cert_file."},
	}
}

// AsksTrust reports whether any of TrustSettings is set.
func AsksTrust(s runtime.Settings) bool {
	return s.Text("ca_file")+s.Text("cert_file")+s.Text("key_file") != ""
}

// Trust is whom a sink believes, and how it shows who it is. Files are tried now.
func Trust(s runtime.Settings) (*tls.Config, error) {
	ca, cert, key := s.Text("ca_file"), s.Text("cert_file"), s.Text("key_file")
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if (cert == "") != (key == "") {
		return nil, errors.New("cert_file: it and key_file are of use only together")
	}
	if ca != "" {
		pem, err := os.ReadFile(ca)
		if err != nil {
			return nil, fmt.Errorf("ca_file: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("ca_file: there is no certificate in %s; want PEM, which begins with -----BEGIN CERTIFICATE-----", ca)
		}
	}
	if cert == "" {
		return c, nil
	}
	load := func() (*tls.Certificate, error) {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return nil, fmt.Errorf("cert_file, key_file: %w", err)
		}
		return &pair, nil
	}
	if _, err := load(); err != nil {
		return nil, err
	}
	c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return load() }
	return c, nil
}
