// SPDX-License-Identifier: Apache-2.0

// Package model is where a grain's YAML and C meet: every cross-check and
// every decision is made here, so that what is emitted only has to be printed.
package model

import (
	"strings"
	"time"

	"github.com/redsift/ingraind/gen/internal/diag"
	"github.com/redsift/ingraind/gen/internal/expr"
)

// Grain is a grain as it will be generated.
type Grain struct {
	Name     string
	Help     string
	YAML     string // the file it comes from, for headers of generated files
	Params   []Param
	Probes   []Probe
	Events   []*Event
	Tables   []*Table
	Calls    []CallNumber
	TailRoom int // bytes that the largest event's variable parts may have; 0 without any
	SlotBody int // bytes of scratch memory that an event needs behind its head; 0 when all fit the stack
	Slots    int // scratch memories a CPU has
	Enums    []*Enum
	Structs  []*Struct // nested ones that need a Go type
}

// Param is a knob of the grain.
type Param struct {
	Name, Help string
	Type       string // integer, bytes, duration, bool, syscalls, paths
	Default    int64
	Min, Max   int64
	Paths      []string // the default of one of type paths
}

// Event is one kind of event and its layout.
type Event struct {
	Index  int
	Name   string // "exec": struct _data_exec
	Go     string // "Exec"
	Help   string
	Stream bool
	Sample int64 // one of so many is sent; 0 for all
	Limit  int64 // at most so many a second are sent; 0 for all
	Per    *Column
	Sinks  []string
	Size   int      // bytes of the fixed part that programs fill, sizeof(struct _data_exec)
	Slot   bool     // it lives in scratch memory, else on the stack
	Fields []*Field // its members, then what Parse gives

	Condition string       // its condition, as the YAML says it
	Reject    []Test       // its condition, as far as programs can tell: in order, one stage of who after the other
	Where     []*expr.Expr // and the rest, which the agent tells; all must be true
	Parse     *Parse       // nil: all its fields are those of the C struct
	Tables    []*Table     // of it, those in the kernel first
	Sent      bool         // it goes to the agent: as a stream, or for a table there
	Who       Who
}

// Whole is the bytes of the fixed part that the agent sees.
func (e *Event) Whole() int {
	if e.Parse == nil {
		return e.Size
	}
	return e.Size + e.Parse.Size
}

// Test is a part of an event's condition.
type Test struct {
	*expr.Expr
	Who []string // members of struct who that it needs and that are not filled in yet
}

// Who says when which members of an event's struct who are filled in, each
// once and only if somebody reads it. All is nil when the event has none.
type Who struct {
	Member string   // of the event
	All    []string // of all stages, in the order of struct who
	Tables []string // before tables are counted
	Sent   []string // before it is sent
}

// Table groups the events of one kind by a key.
type Table struct {
	Name, Go, Help, Measure string
	Event                   *Event
	Every, Idle             time.Duration
	Max                     int
	Sinks                   []string
	Kernel                  bool
	Why                     string // the table is in the agent
	Dense                   int    // keys of an array in the kernel; 0 for a hash
	Key                     []*Column
	KeySize                 int // bytes, a multiple of 8
	Cells                   []*Cell
	Words                   int // 64-bit words of all cells, the number of events included
}

// Column is a column of a table's key.
type Column struct {
	Label  string
	Expr   *expr.Expr
	Leaf   *Leaf // what its values are
	Offset int   // bytes from the start of the key
	Count  int   // its values are below it; 0 when there are many
}

// Cell is what a table counts.
type Cell struct {
	Label string
	Text  string // as the YAML has it
	Expr  *expr.CellExpr
	Leaf  *Leaf // what its argument's values are; nil for count()
	Word  int   // its first word
	Words int
	Sum   int // of a histogram or quantiles: the word of another cell that adds the same up; 0: none does
}

// Field is a member of an event: a leaf, a struct, or an array.
type Field struct {
	Name   string // in rows
	Member string // in C; of an array's element its index
	Go     string // in Go
	Path   string // dotted path in rows
	Help   string
	Offset int // bytes from the start of the event
	Hidden bool
	Parsed bool // a function of Go gives it

	Leaf   *Leaf    // nil for a struct or an array
	Struct *Struct  // what Fields are members of; nil for a leaf or an array
	Fields []*Field // members of a struct, elements of an array

	pos diag.Pos // where to say what is wrong with it
}

// Leaf is a value that has no parts.
type Leaf struct {
	Type   string // runtime's constant: "TypePort"; "TypeRaw" for raw bytes, which rows do not show
	Size   int    // bytes; of a text or words its descriptor's 8
	Signed bool
	Room   int   // bytes that a text or words may have
	Enum   *Enum // for TypeEnum
}

// Enum is a C enum whose names rows show.
type Enum struct {
	Name   string // in C
	Go     string
	Values []EnumValue // sorted by value, each value once
}

// EnumValue is one constant of an enum.
type EnumValue struct {
	Name  string
	Value int64
}

// Struct is a nested C struct, and its Go type.
type Struct struct {
	Name   string // in C
	Go     string
	Shared bool // runtime's Who
	Fields []*Field
}

// Probe is a C function and its points.
type Probe struct {
	Index    int
	Name     string
	Unless   []string
	Optional bool
	Decides  bool // its C function returns the verdict, which is otherwise that of Point
	Params   []Arg
	Points   []Point
}

// Arg is a parameter of a probe's C function.
type Arg struct {
	Name string
	Type string // as the C says it: "struct sock *"
}

// Point is a place where a probe runs, and the programs that can serve it.
type Point struct {
	At      string
	Stem    string // what the names of its programs begin with
	Bind    string // the C variable that says where arguments are; "" when they are known now
	Find    string // runtime's function that finds where in programs it is; "" when it is not in programs
	Returns bool
	Except  []string // GOARCHs that have no such system call
	On      []string // which interfaces, cgroups or network namespace; none: all, or the agent's own
	Every   int64    // nanoseconds between two visits or samples; 0: the runtime's choice
	Verdict string   // what its programs return, in C: that what is observed goes on
	Decide  string   // likewise, made of `verdict`, of a probe that decides: what verifiers let such programs return
	Ways    []Way
	Syscall *Syscall // for syscall/ and syscall_return/
}

// Way is one mechanism and its programs.
type Way struct {
	Mechanism string // runtime's constant: "Fexit"
	Target    string
	Programs  []Program
}

// MechanismName is the value of a constant of runtime: "tp_btf" for TPBTF.
func MechanismName(constant string) string {
	switch constant {
	case "TPBTF":
		return "tp_btf"
	case "RawTP":
		return "raw_tp"
	case "SkLookup":
		return "sk_lookup"
	case "PerfEvent":
		return "perf_event"
	case "KprobeMulti", "UprobeMulti", "UretprobeMulti":
		return strings.ToLower(strings.TrimSuffix(constant, "Multi")) + ".multi"
	case "FmodRet":
		return "fmod_ret"
	}
	return strings.ToLower(constant)
}

// Program is one entry point in the generated header.
type Program struct {
	Name    string // C function
	Section string
	Style   Style
}

// Style is how a program finds its arguments.
type Style string

// The styles of entry points.
const (
	Words      Style = "words"       // an array of 64-bit words, arguments bound by name
	WordsRet   Style = "words_ret"   // the same, with the result behind them
	Regs       Style = "regs"        // registers, arguments bound by name
	RegsInTurn Style = "regs_turn"   // registers, arguments in their order (user programs)
	RegsRet    Style = "regs_ret"    // registers at a return: the result alone
	Places     Style = "places"      // registers, memory and constants, as notes in the program say (static probes)
	PairEntry  Style = "pair_entry"  // keeps the arguments
	PairReturn Style = "pair_return" // takes them, with the result
	SyscallIn  Style = "syscall"     // the call's own arguments
	SyscallOut Style = "syscall_ret" // the same at its return, with the result
	Visit      Style = "visit"       // words, and a last run without the object
	Context    Style = "context"     // the context itself, the one argument there is
)

// Syscall is a system call on each architecture.
type Syscall struct {
	Name    string
	Targets []SyscallTarget
}

// SyscallTarget is a system call's numbers on one architecture; -1 is none.
type SyscallTarget struct {
	Arch   string // as in __TARGET_ARCH_x86
	Number int
	Compat int
	Args   []int // for each parameter of the probe the call's argument, -1 for the result
}
