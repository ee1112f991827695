// SPDX-License-Identifier: Apache-2.0

// Package deliver is an agent with all sinks that there are, and a grain of
// numbered rows. Its tests kill it, take its servers away, and compare what
// arrives with what the load itself counted.
package deliver

//go:generate go run ../../gen/cmd/ingrain generate
