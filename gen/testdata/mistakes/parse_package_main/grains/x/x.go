// SPDX-License-Identifier: Apache-2.0

// Package x reads words.
package main

// Words are some words.
type Words struct {
	First []byte
	Count uint16
}

// Read reads words.
func Read(b []byte, to *Words) bool { return false }
