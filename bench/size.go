// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// size looks at the stock agent as it is shipped: static and stripped.
func size(b *bench) ([]row, error) {
	path, err := b.build("generated/ingraind")
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command("go", "list", "-deps", module+"/generated/ingraind")
	cmd.Dir = b.root
	deps, err := output(cmd)
	if err != nil {
		return nil, err
	}
	if slices.Contains(strings.Fields(deps), "net/http") {
		err = fmt.Errorf("the stock agent is linked with net/http")
	}
	return []row{bounded("size of ingraind, stripped and static", "MB", float64(info.Size())/1e6, 7)}, err
}

// bounded is a row without a peer, of what does not depend on what else the
// machine does.
func bounded(figure, unit string, ours, target float64) row {
	return row{Figure: figure, Unit: unit, Ours: ours, Target: target, Limit: target}
}
