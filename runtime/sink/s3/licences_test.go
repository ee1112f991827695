// SPDX-License-Identifier: Apache-2.0

package s3_test

import (
	"os"
	"testing"

	"github.com/redsift/ingraind/runtime/runtimetest"
	"github.com/redsift/ingraind/runtime/sink/s3"
	"github.com/redsift/ingraind/runtime/sink/s3/parquet"
)

func TestLicencesAreThoseOfTheModules(t *testing.T) {
	const agent = root + "/runtime/agent"
	for _, part := range []struct {
		file, want string
		have       string
	}{
		{"licences.txt", runtimetest.Licences(t, ".", agent), s3.Part().Licences},
		{"parquet/licences.txt", runtimetest.Licences(t, "./parquet", agent, "."), parquet.Format().Licences},
	} {
		if *update {
			if err := os.WriteFile(part.file, []byte(part.want), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if part.have != part.want {
			t.Errorf("%s is not what the modules have: go test . -run Licences -update", part.file)
		}
	}
	if all := parquet.Part().Licences; all != s3.Part().Licences+parquet.Format().Licences {
		t.Errorf("got %d bytes of licences of both", len(all))
	}
}
