// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"

	"github.com/redsift/ingraind/gen"
)

func explainVerb() *verb {
	return &verb{
		name:    "explain",
		usage:   "ingrain explain [-C DIR] [-cc CLANG] GRAIN",
		summary: "Tell what of a grain runs in the kernel and what in the agent, and about what it costs.",
		about: []string{
			"For each event of the grain it prints which parts of its condition the program tells and which the agent, the cheapest first, as they are asked; where each table is, and why there; which members of who are filled in for what; and what becomes of the rest. Costs are about those of a two-core virtual machine, and mean more beside each other than by themselves.",
			"Below that stand the C that emit_ is made of, and the Go that the agent runs.",
		},
		options: []option{dirOption(), ccOption()},
		most:    1,
		do:      explain,
	}
}

func explain(c *call) int {
	if len(c.args) == 0 {
		return c.usage(explainVerb(), errors.New("explain needs the name of a grain"))
	}
	text, err := gen.Explain(gen.Options{Root: c.flags.dir, CC: c.flags.cc}, c.args[0])
	if err != nil {
		return c.fail(err)
	}
	fmt.Fprint(c.stdout, text)
	return exitOK
}
