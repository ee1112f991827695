// SPDX-License-Identifier: Apache-2.0

// Package remote has what sinks that talk to servers have in common, whatever
// they speak: whom they trust, how they show who they are, and how their errors
// read. It does not import net/http: not every such sink needs that.
package remote

import (
	"fmt"
	"io"
	"os"
)

// Secret reads a small file that a setting names: a token, a password. It is
// read anew each time it is needed, so that one that was renewed is in use with
// the next attempt. Errors name the setting and the file, not what is in it.
func Secret(setting, name string) (string, error) {
	const most = 64 << 10
	if info, err := os.Stat(name); err != nil {
		return "", fmt.Errorf("%s: %w", setting, err)
	} else if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s: %s is no regular file", setting, name)
	}
	f, err := os.Open(name)
	if err != nil {
		return "", fmt.Errorf("%s: %w", setting, err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && len(text) > most {
		err = fmt.Errorf("%s has more than 64 KiB", name)
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", setting, err)
	}
	return string(text), nil
}
