// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"

	"github.com/redsift/ingraind/runtime/internal/executable"
)

// Finder finds where in programs the ways of a point lead; args are what its
// probe asks for. Generated code names the one that a point needs, and an
// agent none of whose grains has such points is linked without all of it.
type Finder func(target string, args []string) (*Code, error)

// Code is where in a program or library a point is.
type Code struct {
	file     string
	info     os.FileInfo // of the file that was read
	golang   bool
	variants []variant
	attach   func(c *choice, program *ebpf.Program, at *variant, keep func(io.Closer)) error
}

// variant is the places where arguments are found alike. Each has a program of
// its own: where arguments are is a constant of that.
type variant struct {
	binding    []byte   // the value of Point.Bind; nil when that is none
	offsets    []uint64 // of the places, in the file
	semaphores []uint64 // of each, likewise, or 0
}

// places is how many there are.
func (c *Code) places() (n int) {
	for _, v := range c.variants {
		n += len(v.offsets)
	}
	return n
}

// FindFunctions is for targets BINARY:FUNCTION[,FUNCTION...]. A * in the name
// of a function stands for any letters.
func FindFunctions(target string, _ []string) (*Code, error) {
	binary, list, err := splitUserTarget(target)
	if err != nil {
		return nil, err
	}
	c, f, err := openCode(binary)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	patterns := strings.Split(list, ",")
	found := make([]bool, len(patterns))
	var at variant
	if err := f.Functions(func(name []byte, offset uint64) {
		for i, pattern := range patterns {
			if matches(pattern, string(name)) {
				found[i] = true
				at.offsets = append(at.offsets, offset)
			}
		}
	}); err != nil {
		return nil, fmt.Errorf("%s: %w", c.file, err)
	}
	if i := slices.Index(found, false); i >= 0 {
		var names []string
		err := f.Functions(func(name []byte, _ uint64) { names = append(names, string(name)) })
		return nil, errors.Join(noneOf(c.file, "function", patterns[i], names), err)
	}
	slices.Sort(at.offsets)
	at.offsets = slices.Compact(at.offsets)
	at.semaphores = make([]uint64, len(at.offsets))
	c.golang, c.variants = f.Go(), []variant{at}
	return c, nil
}

// mostVariants is how many programs a probe may have at one point, each some
// milliseconds to load.
const mostVariants = 64

// FindNotes is for targets BINARY:PROVIDER:PROBE, of which <sys/sdt.h> has left
// notes in the file. Arguments have no names but arg1, arg2 ...
func FindNotes(target string, args []string) (*Code, error) {
	binary, probe, err := splitUserTarget(target)
	if err != nil {
		return nil, err
	}
	binary, provider, err := splitUserTarget(binary)
	if err != nil {
		return nil, fmt.Errorf("%q is not BINARY:PROVIDER:PROBE", target)
	}
	c, f, err := openCode(binary)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	sites, err := f.Sites()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.file, err)
	}
	var names []string
	for i := range sites {
		if s := &sites[i]; s.Name != provider+":"+probe {
			names = append(names, s.Name)
		} else if err := c.add(f.File, s, args); err != nil {
			return nil, fmt.Errorf("%s: %w", c.file, err)
		}
	}
	if len(c.variants) == 0 {
		return nil, noneOf(c.file, "probe", provider+":"+probe, names)
	}
	return c, nil
}

// add adds a site of a file to the variant that it is one of.
func (c *Code) add(f *executable.File, s *executable.Site, args []string) error {
	var binding []byte
	for _, arg := range args {
		n, err := strconv.Atoi(strings.TrimPrefix(arg, "arg"))
		if err != nil {
			return fmt.Errorf("%s has no argument %s; they are arg1, arg2 and so on", s.Name, arg)
		}
		place, err := f.Place(s, n)
		if err != nil {
			return err
		}
		binding = place.Append(binding)
	}
	i := slices.IndexFunc(c.variants, func(v variant) bool { return slices.Equal(v.binding, binding) })
	if i < 0 {
		if i = len(c.variants); i == mostVariants {
			return fmt.Errorf("%s has its arguments in more than %d different places", s.Name, mostVariants)
		}
		c.variants = append(c.variants, variant{binding: binding})
	}
	v := &c.variants[i]
	v.offsets, v.semaphores = append(v.offsets, s.Offset), append(v.semaphores, s.Semaphore)
	return nil
}

// openFile is a program's file, for its opener to close.
type openFile struct {
	*executable.File
	io.Closer
}

// openCode opens the file that a target names.
func openCode(binary string) (*Code, *openFile, error) {
	name, err := findBinary(binary)
	if err != nil {
		return nil, nil, err
	}
	f, content, err := executable.Open(name)
	if err != nil {
		return nil, nil, err
	}
	info, err := content.Stat()
	if err == nil && f.Machine != machine() {
		err = fmt.Errorf("%s is for another machine (%v)", name, f.Machine)
	}
	if err != nil {
		return nil, nil, errors.Join(err, content.Close())
	}
	return &Code{file: name, info: info, attach: attachUser}, &openFile{f, content}, nil
}

// noneOf says that a file has no function or probe of a name, and what may be
// meant.
func noneOf(file, noun, name string, has []string) error {
	text := fmt.Sprintf("%s has no %s %s", file, noun, name)
	if near := Nearest(name, has); near != "" {
		return fmt.Errorf("%s; did you mean %s?", text, near)
	}
	slices.Sort(has)
	switch has = slices.Compact(has); {
	case noun == "function": // of which there are too many
	case len(has) == 0:
		text += ", nor any other"
	case len(has) > 4:
		text += fmt.Sprintf("; it has %s and %d more", strings.Join(has[:3], ", "), len(has)-3)
	default:
		text += "; it has " + strings.Join(has, ", ")
	}
	return errors.New(text)
}

// attachUser attaches a program at the places of a variant: in one link where
// the mechanism is for many, else one by one.
func attachUser(c *choice, program *ebpf.Program, at *variant, keep func(io.Closer)) error {
	// In another file the places would be any instructions, or parts of such.
	info, err := os.Stat(c.code.file)
	if err != nil {
		return err
	}
	if was := c.code.info; !os.SameFile(info, was) || !info.ModTime().Equal(was.ModTime()) || info.Size() != was.Size() {
		return fmt.Errorf("%s has just been changed", c.code.file)
	}
	file, err := link.OpenExecutable(c.code.file)
	if err != nil {
		return err
	}
	if c.Mechanism.multi() {
		attach := file.UprobeMulti
		if c.Mechanism == UretprobeMulti {
			attach = file.UretprobeMulti
		}
		attached, err := attach(nil, program, &link.UprobeMultiOptions{Addresses: at.offsets, RefCtrOffsets: at.semaphores})
		if err == nil {
			keep(attached)
		}
		return err
	}
	attach := file.Uprobe
	if c.Mechanism == Uretprobe {
		attach = file.Uretprobe
	}
	for i, offset := range at.offsets {
		o := &link.UprobeOptions{Address: offset, RefCtrOffset: at.semaphores[i], TraceFSPrefix: traceGroup()}
		attached, err := attach(string(c.Mechanism), program, o) // what it is called matters in tracefs alone
		if err != nil {
			return fmt.Errorf("at %#x of %s: %w", offset, c.code.file, err)
		}
		keep(attached)
	}
	return nil
}
