// SPDX-License-Identifier: Apache-2.0

// Package grains is an example of a site's own tree: grains/ and bpf/ beside
// each other, and generated/ made of them.
package grains

//go:generate go run ../../gen/cmd/ingrain generate
