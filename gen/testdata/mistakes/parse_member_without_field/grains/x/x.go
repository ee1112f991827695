// SPDX-License-Identifier: Apache-2.0

// Package x reads words.
package x

// Words are some words.
type Words struct {
	First []byte
	Count uint16
	Last  []byte
}

// Read reads words.
func Read(b []byte, to *Words) bool { return false }
