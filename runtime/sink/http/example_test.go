// SPDX-License-Identifier: Apache-2.0

package http_test

import (
	"testing"

	"github.com/redsift/ingraind/runtime/runtimetest"
	"github.com/redsift/ingraind/runtime/sink/http"
)

func TestTheConfigurationOfTheDocumentIsTaken(t *testing.T) {
	asked := runtimetest.SinkPage(t, http.Part(), "../../../docs/sinks/http.md", "testdata/config.yaml")
	if asked["token_file"] == "" {
		t.Errorf("got %q, want a token", asked)
	}
	asked["token_file"] = write(t, "token", "t\n")
	if _, err := http.Part().Open(asked); err != nil {
		t.Error(err)
	}
}
