// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"runtime/debug"
)

func versionVerb() *verb {
	return &verb{
		name:    "version",
		usage:   "ingrain version",
		summary: "Print the version, and the Go that built it.",
		do:      version,
	}
}

func version(c *call) int {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		fmt.Fprintln(c.stdout, "ingrain (unknown)")
		return exitOK
	}
	fmt.Fprintf(c.stdout, "ingrain %s, %s\n", info.Main.Version, info.GoVersion)
	return exitOK
}
