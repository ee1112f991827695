// SPDX-License-Identifier: Apache-2.0

package syslog_test

import (
	"testing"

	"github.com/redsift/ingraind/runtime/runtimetest"
	"github.com/redsift/ingraind/runtime/sink/syslog"
)

func TestTheConfigurationOfTheDocumentIsTaken(t *testing.T) {
	asked := runtimetest.SinkPage(t, syslog.Part(), "../../../docs/sinks/syslog.md", "testdata/config.yaml")
	if _, err := syslog.Part().Open(asked); err != nil {
		t.Error(err)
	}
}
