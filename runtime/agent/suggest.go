// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"fmt"
	"strings"

	"github.com/redsift/ingraind/runtime"
)

// unknown says that there is no such thing, and what was probably meant or
// else what there is.
func unknown(noun, name string, known []string) error {
	if near := runtime.Nearest(name, known); near != "" {
		return fmt.Errorf("unknown %s %q; did you mean %q?", noun, name, near)
	}
	if len(known) == 0 {
		return fmt.Errorf("unknown %s %q; there is none", noun, name)
	}
	return fmt.Errorf("unknown %s %q; known: %s", noun, name, strings.Join(known, ", "))
}
