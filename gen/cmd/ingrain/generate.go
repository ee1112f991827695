// SPDX-License-Identifier: Apache-2.0

package main

import (
	"flag"
	"fmt"

	"github.com/redsift/ingraind/gen"
)

func generateVerb() *verb {
	return &verb{
		name:    "generate",
		usage:   "ingrain generate [-n] [-C DIR] [-cc CLANG]",
		summary: "Bring generated/ up to date with grains/ and bpf/.",
		about: []string{
			"Reads grains/*.yaml and bpf/*.bpf.c, and writes for each grain a package generated/GRAIN: the C header that its bpf/GRAIN.bpf.c includes, its eBPF objects for x86-64 and arm64, and one Go file. Of grains/agent.yaml it makes a command, generated/NAME, that holds the grains and sinks listed there.",
			"When anything is wrong nothing is written, and every mistake is printed as FILE:LINE:COL: MESSAGE. What clang finds is printed as clang says it. Files that nothing asks for any more are removed, if a generator wrote them; files that are as they should be keep their times. Equal input gives equal bytes.",
			"It needs clang and llvm-strip of version 16 or later (apt-get install clang-19 llvm-19). Objects are kept in ingrain/ of the user's cache folder and used again while nothing that went into them has changed.",
			"A site calls it from a Go file:",
			"  //go:generate go tool ingrain generate",
		},
		options: []option{
			{"n", "", "Write nothing: print what would change, and exit with 1 if anything would. For CI, where generated/ is committed.",
				func(set *flag.FlagSet, name string, f *flags) { set.BoolVar(&f.dry, name, false, "") }},
			dirOption(), ccOption(),
		},
		do: generate,
	}
}

func generate(c *call) int {
	changes, err := gen.Generate(gen.Options{Root: c.flags.dir, CC: c.flags.cc, Dry: c.flags.dry})
	if err != nil {
		return c.fail(err)
	}
	would := ""
	if c.flags.dry {
		would = "would "
	}
	for _, change := range changes {
		fmt.Fprintf(c.stdout, "%s%s %s\n", would, change.What, change.Path)
	}
	if c.flags.dry && len(changes) > 0 {
		return exitFail
	}
	return exitOK
}
