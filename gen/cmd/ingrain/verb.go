// SPDX-License-Identifier: Apache-2.0

package main

import "flag"

// verb is something the command can do.
type verb struct {
	name    string
	usage   string
	summary string   // in the list of verbs
	about   []string // paragraphs; those that begin with a blank stand as they are
	options []option
	most    int // how many arguments; -1 is any number
	do      func(*call) int
}

// option is a flag. One without a value is a switch.
type option struct {
	name, value, help string
	bind              func(set *flag.FlagSet, name string, f *flags)
}

func verbs() []*verb {
	return []*verb{generateVerb(), vetVerb(), explainVerb(), helpVerb(), versionVerb(), completionVerb()}
}

func verbNames() []string {
	var names []string
	for _, v := range verbs() {
		names = append(names, v.name)
	}
	return names
}

func findVerb(name string) *verb {
	for _, v := range verbs() {
		if v.name == name {
			return v
		}
	}
	return nil
}

func dirOption() option {
	return option{"C", "DIR", "Work on the site in DIR: the folder with grains/ and bpf/ (default: the current one).",
		func(set *flag.FlagSet, name string, f *flags) { set.StringVar(&f.dir, name, "", "") }}
}

func ccOption() option {
	return option{"cc", "CLANG", "The clang to compile with, by name or path; its llvm-strip is looked for beside it (default: the first of clang-19, clang, and other versions that there is).",
		func(set *flag.FlagSet, name string, f *flags) { set.StringVar(&f.cc, name, "", "") }}
}
