// SPDX-License-Identifier: Apache-2.0

package syslog_test

import (
	"testing"

	"github.com/redsift/ingraind/runtime/sinktest"
)

func TestRowsOfTheStockGrainsAllocateNothing(t *testing.T) {
	sinktest.MustAllocateNothing(t, "../../../grains/testdata", open(t).Encoding())
}
