// SPDX-License-Identifier: Apache-2.0

// Package tools is where `go generate ./...` starts: it runs this module's
// generator over grains/ and bpf/. The other tool of this module, bpf2go, is
// listed in go.mod; the generator is made of its packages.
package tools

//go:generate go run ./gen/cmd/ingrain generate
