// SPDX-License-Identifier: Apache-2.0

package dns

import _ "embed"

// captured are messages between dig and unbound, in hex, a line each: those of
// TestAnswersAreWhatDigPrints of package grains, which writes them with -update.
//
//go:embed testdata/captured.hex
var captured string
