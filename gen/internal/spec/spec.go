// SPDX-License-Identifier: Apache-2.0

// Package spec turns the YAML of a grain or of an agent into a Go value that
// remembers where each word of it stands, and finds every mistake that can be
// seen in the YAML alone, all of one file in one run. It reads no file and
// knows nothing of C: that a probe's function exists, or that a field's path
// leads to a field, is for package model to say.
package spec

import "github.com/redsift/ingraind/gen/internal/diag"

// Value is a scalar of the file and where it stands. Pos is that of its first
// byte: for quoted text the quote, for block text the | or >. A Value that the
// file does not have is zero.
type Value struct {
	Text string
	Pos  diag.Pos
}

// Given says whether the file has the value.
func (v Value) Given() bool { return v.Pos.Line != 0 }
