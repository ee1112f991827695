// SPDX-License-Identifier: Apache-2.0

package journald_test

import (
	"testing"

	"github.com/redsift/ingraind/runtime/runtimetest"
	"github.com/redsift/ingraind/runtime/sink/journald"
)

func TestTheConfigurationOfTheDocumentIsTaken(t *testing.T) {
	asked := runtimetest.SinkPage(t, journald.Part(), "../../../docs/sinks/journald.md", "testdata/config.yaml")
	if _, err := journald.Part().Open(asked); err != nil {
		t.Error(err)
	}
}
