// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/redsift/ingraind/examples/grains/generated/permit"
	"github.com/redsift/ingraind/runtime"
)

func TestWhatSecurityModulesAreAskedIsSeenAndLeftAlone(t *testing.T) {
	for _, s := range []struct {
		probe     string
		mechanism runtime.Mechanism
	}{{"asked", runtime.LSM}, {"asking", runtime.FmodRet}} {
		t.Run(string(s.mechanism), func(t *testing.T) {
			if lacking(t, s.mechanism, alone(permit.New(), s.probe)) {
				return
			}
			for _, transport := range transports {
				t.Run(transport, func(t *testing.T) {
					agent := start(t, runtime.Options{Transport: transport}, alone(permit.New(), s.probe))
					file := filepath.Join(t.TempDir(), "ingrain-permit")
					for range 3 {
						if err := os.WriteFile(file, []byte("as it was"), 0o600); err != nil {
							t.Fatal(err)
						}
					}
					if text, err := os.ReadFile(file); err != nil || string(text) != "as it was" {
						t.Errorf("read %q, %v", text, err)
					}
					rows, _ := stop(t, agent)
					want := map[string]string{"name": filepath.Base(file), "who.pid": fmt.Sprint(os.Getpid())}
					if n := count(rows, string(s.mechanism), want); n != 4 {
						t.Errorf("got %d events %v, want 4, of %v", n, want, ours(rows, string(s.mechanism)))
					}
				})
			}
		})
	}
}
