// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"fmt"
	"slices"
	"strings"
)

// release says where Debian has one kernel. %s in pkg is the architecture.
type release struct {
	name   string
	suites []string // tried in turn: the small security suite first, then the main one it was copied from
	pkg    string   // a package that is, or depends on, linux-image-VERSION; * stands for the newest
}

// releases is the table of kernels. Debian's suites move on: when Fetch says
// that a package is gone, the line to change is here.
var releases = []release{
	{"5.10", []string{"bullseye-security", "bullseye"}, "linux-image-cloud-%s"},
	{"6.1", []string{"bookworm-security", "bookworm"}, "linux-image-cloud-%s"},
	{"6.12", []string{"trixie-security", "trixie"}, "linux-image-cloud-%s"},
	{"6.18", []string{"trixie-backports"}, "linux-image-6.18.15+deb13-cloud-%s"},
	{"7", []string{"trixie-backports"}, "linux-image-7.*-cloud-%s"}, // the newest whose parts are all there,
}

// Names are the kernels that Fetch knows, oldest first.
func Names() []string {
	names := make([]string, 0, len(releases))
	for _, r := range releases {
		names = append(names, r.name)
	}
	return names
}

// lookup finds the releases with these names, in the order of the names.
func lookup(names []string) ([]release, error) {
	found := make([]release, 0, len(names))
	for _, name := range names {
		i := slices.IndexFunc(releases, func(r release) bool { return r.name == name })
		if i < 0 {
			return nil, fmt.Errorf("no kernel is called %q; there are %s", name, strings.Join(Names(), ", "))
		}
		found = append(found, releases[i])
	}
	return found, nil
}

// isSecurity tells which of Debian's two archives holds a suite.
func isSecurity(suite string) bool { return strings.HasSuffix(suite, "-security") }
