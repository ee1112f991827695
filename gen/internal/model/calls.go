// SPDX-License-Identifier: Apache-2.0

package model

import (
	"cmp"
	"slices"
	"strings"

	"github.com/redsift/ingraind/gen/internal/diag"
	"github.com/redsift/ingraind/gen/internal/source"
	"github.com/redsift/ingraind/gen/internal/syscalls"
)

// CallNumber is a system call's number that the C speaks of: __NR_openat, or
// __NR32_openat for that of 32-bit programs. Where an architecture has no such
// call it is a number below zero that no other has.
type CallNumber struct {
	Macro      string
	X86, Arm64 int
}

const (
	callMacro   = "__NR_"
	callMacro32 = "__NR32_"
)

// CallNumbers are those of a C file, in the order of their names.
func CallNumbers(c *source.File) (numbers []CallNumber) {
	for word := range c.Words {
		if call, ok := callOf(word); ok {
			n := CallNumber{word, call.Amd64, call.Arm64}
			if strings.HasPrefix(word, callMacro32) {
				n.X86, n.Arm64 = call.I386, call.Arm
			}
			numbers = append(numbers, n)
		}
	}
	slices.SortFunc(numbers, func(a, b CallNumber) int { return cmp.Compare(a.Macro, b.Macro) })
	for i := range numbers { // cases of a switch must differ
		if n := &numbers[i]; n.X86 == syscalls.None {
			n.X86 = -1000 - i
		}
		if n := &numbers[i]; n.Arm64 == syscalls.None {
			n.Arm64 = -1000 - i
		}
	}
	return numbers
}

// callName is the name of the call whose number a word stands for.
func callName(word string) (name string, ok bool) {
	if name, ok = strings.CutPrefix(word, callMacro32); ok {
		return name, true
	}
	return strings.CutPrefix(word, callMacro)
}

func callOf(word string) (call syscalls.Call, ok bool) {
	name, ok := callName(word)
	if ok {
		call, ok = syscalls.Lookup(name)
	}
	return call, ok
}

// knownNumbers finds the numbers of calls that there are not.
func (b *binder) knownNumbers() {
	for word, pos := range b.source.Words {
		name, ok := callName(word)
		if _, known := syscalls.Lookup(name); ok && !known {
			b.mistake.Add(pos, "%s: there is no system call %s%s", word, name, diag.DidYouMean(name, syscalls.Names()))
			b.compiles = false
		}
	}
}
