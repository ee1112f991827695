// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// rejected is the error of a program that a verifier did not take, with what
// its author can do about it.
type rejected struct {
	error
	text string
}

func (r rejected) Unwrap() error { return r.error }

// refusedBy makes an error of loading a rejected one, if it is the verifier's.
func (l *Loaded) refusedBy(err error, spec *ebpf.CollectionSpec) error {
	var verifier *ebpf.VerifierError
	if !errors.As(err, &verifier) || len(verifier.Log) == 0 {
		return err
	}
	failed, _, _ := strings.Cut(strings.TrimPrefix(err.Error(), "program "), ":")
	if log := l.options.Log; log != nil {
		for _, line := range verifier.Log {
			log.Debug(line, "verifier", failed)
		}
	}
	return rejected{err, refusal(verifier.Log, spec.Programs[failed], release())}
}

// refusal is what a verifier said of a program, for the author of its grain:
// the line in C, what is wrong with it, and what usually is the cause.
func refusal(log []string, program *ebpf.ProgramSpec, kernel string) string {
	said := strings.Join(lastLines(log, 1), "")
	text := "the verifier of Linux " + kernel + " refuses it: "
	if line := sourceOf(log, program); line != nil {
		text += fmt.Sprintf("%s:%d: ", line.FileName(), line.LineNumber())
	}
	text += said
	for _, c := range causes {
		if strings.Contains(said, c.said) {
			return text + " (" + c.means + ")"
		}
	}
	return text
}

// causes are what makes verifiers say something, most of the times
// (kernel/bpf/verifier.c).
var causes = []struct{ said, means string }{
	{"or_null'", "what new_X or a lookup returns may be NULL: test it first"},
	{"invalid mem access 'scalar'", "a pointer into the kernel is read as BPF_CORE_READ does, not with * or ->"},
	{"invalid mem access 'inv'", "a pointer into the kernel is read as BPF_CORE_READ does, not with * or ->"},
	{"unbounded memory access", "a length or an index needs a bound that the verifier can see: compare it just before, or mask it"},
	{"min value is negative", "a length or an index needs a bound that the verifier can see: compare it just before, or mask it"},
	{"outside of the allowed memory range", "a length or an index needs a bound that the verifier can see: compare it just before, or mask it"},
	{"outside of the array range", "a length or an index needs a bound that the verifier can see: compare it just before, or mask it"},
	{"invalid access to map value", "a length or an index needs a bound that the verifier can see: compare it just before, or mask it"},
	{"back-edge", "a loop needs a constant bound that the verifier can follow"},
	{"infinite loop", "a loop needs a constant bound that the verifier can follow"},
	{"program is too large", "there are too many ways through it: shorter loops, fewer branches in them"},
	{"jumps is too complex", "there are too many ways through it: shorter loops, fewer branches in them"},
	{"stack size", "a program has 512 bytes of stack, its functions included: large things belong into what new_X returns"},
	{"invalid stack", "a program has 512 bytes of stack: an access is beyond them, or reads what was never written"},
	{"invalid indirect read from stack", "a struct on the stack was not written in full, its padding included: set it to {} first"},
	{"unknown func", "this kernel does not have that helper, or not for programs of this type"},
	{"cannot use helper", "this kernel does not have that helper for programs of this type"},
	{"!read_ok", "a variable is read before it is set"},
}

// located is a btf.Line.
type located interface {
	FileName() string
	LineNumber() uint32
}

// step begins a line about an instruction: its place, in units of eight bytes.
var step = regexp.MustCompile(`^(\d+): (?:\(|R)`)

// sourceOf is the line of C that the verifier was at when it gave up; nil when
// that is not known.
func sourceOf(log []string, program *ebpf.ProgramSpec) located {
	if program == nil {
		return nil
	}
	for i := len(log) - 1; i >= 0; i-- {
		found := step.FindStringSubmatch(log[i])
		if found == nil {
			continue
		}
		at, err := strconv.ParseUint(found[1], 10, 32)
		if err != nil {
			return nil
		}
		var line located
		for instructions := program.Instructions.Iterate(); instructions.Next(); {
			if uint64(instructions.Offset) > at {
				break
			}
			if l, ok := instructions.Ins.Source().(located); ok {
				line = l
			}
		}
		return line
	}
	return nil
}

// release is the running kernel's name: "6.1.0-48-amd64".
func release() string {
	var name unix.Utsname
	if unix.Uname(&name) != nil {
		return "(unknown)"
	}
	return unix.ByteSliceToString(name.Release[:])
}
