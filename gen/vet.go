// SPDX-License-Identifier: Apache-2.0

package gen

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cilium/ebpf"

	"github.com/redsift/ingraind/gen/internal/kernel"
	"github.com/redsift/ingraind/gen/internal/model"
)

// Vet finds the mistakes that Generate would report in grains, all when none
// is named, and writes nothing.
func Vet(o Options, grains ...string) error {
	b, err := build(o, grains)
	if err != nil {
		return err
	}
	b.site.close()
	return nil
}

// Fit is where a point of a probe would run on a kernel, or why it would not.
type Fit struct {
	Kernel, Grain, Probe, Point string

	Way     string   // the mechanism; "" when none serves, or when none is needed
	OK      bool     // it would run, or it is not needed
	Reasons []string // why better ways than that do not serve; why it is not needed
}

// Fitness is what VetKernels found.
type Fitness struct {
	Fits    []Fit    // by kernel, then in the order of grains, probes and points
	Nowhere []string // grains that would run on none of the kernels
}

// VetKernels tells from BTF where grains, all when none is named, would run.
// path is a file or a folder of them: raw BTF, vmlinux, or a kernel's image.
// It answers as the runtime plans: a point takes the first of its ways that
// serves, a probe needs all of its points, and one that cannot run needs
// another that says it is there unless that one runs. What no BTF says, it
// cannot tell: the verifier's judgement, limits of a program type, lockdown,
// functions that cannot be traced, binaries of uprobes.
func VetKernels(o Options, path string, grains ...string) (*Fitness, error) {
	b, err := build(o, grains)
	if err != nil {
		return nil, err
	}
	defer b.site.close()
	kernels, err := kernel.Open(path)
	if err != nil {
		return nil, err
	}
	f := &Fitness{}
	runs := map[string]bool{}
	for _, k := range kernels {
		if !slices.Contains(targets, k.Arch) {
			return nil, fmt.Errorf("%s: grains are not built for the architecture of this kernel", k.Name)
		}
		for _, m := range b.models {
			fits, ok, err := fit(k, m, b.objects[m])
			if err != nil {
				return nil, err
			}
			f.Fits = append(f.Fits, fits...)
			runs[m.Name] = runs[m.Name] || ok
		}
	}
	for _, m := range b.models {
		if !runs[m.Name] {
			f.Nowhere = append(f.Nowhere, m.Name)
		}
	}
	return f, nil
}

// fit tells where the probes of a grain would run on a kernel, and whether
// the grain would.
func fit(k *kernel.Kernel, m *model.Grain, objects []object) ([]Fit, bool, error) {
	code := objects[slices.IndexFunc(objects, func(o object) bool { return o.arch == k.Arch })]
	spec, err := ebpf.LoadCollectionSpecFromReader(bytes.NewReader(code.bytes))
	if err != nil {
		return nil, false, err
	}
	rows, can := map[string][]Fit{}, map[string]bool{}
	for _, p := range m.Probes {
		can[p.Name] = true
		for _, at := range p.Points {
			row := Fit{Kernel: k.Name, Grain: m.Name, Probe: p.Name, Point: at.At}
			place(k, spec, p, at, &row)
			rows[p.Name] = append(rows[p.Name], row)
			can[p.Name] = can[p.Name] && row.OK
		}
	}
	var fits []Fit
	all := true
	for _, p := range m.Probes {
		blocker := needless(m, p, can, len(m.Probes))
		for _, row := range rows[p.Name] {
			if blocker != "" {
				row.Way, row.OK, row.Reasons = "", true, []string{"not needed: " + blocker + " runs"}
			}
			fits = append(fits, row)
		}
		all = all && (blocker != "" || can[p.Name] || p.Optional || hasSubstitute(m, p))
	}
	return fits, all, nil
}

// place finds the way that serves a point. A call that an architecture does
// not have is not missed there when the probe has other points.
func place(k *kernel.Kernel, object *ebpf.CollectionSpec, p model.Probe, at model.Point, row *Fit) {
	if slices.Contains(at.Except, k.Arch) {
		row.OK = slices.ContainsFunc(p.Points, func(other model.Point) bool { return !slices.Contains(other.Except, k.Arch) })
		row.Reasons = []string{"there is no system call " + at.Syscall.Name + " on " + k.Arch}
		return
	}
	var why reasons
	for _, w := range at.Ways {
		err := serves(k, p, at, w)
		for _, program := range w.Programs {
			if err == nil {
				err = k.Program(object, program.Name)
			}
		}
		if err == nil {
			row.Way, row.OK = model.MechanismName(w.Mechanism), true
			break
		}
		why.add(model.MechanismName(w.Mechanism), err.Error())
	}
	row.Reasons = why.lines
}

// reasons are why ways do not serve; those in a row with one reason share it:
// "tp_btf, raw_tp: no tracepoint x".
type reasons struct {
	lines []string
	ways  string
	why   string
}

func (r *reasons) add(way, why string) {
	if len(r.lines) > 0 && why == r.why {
		r.ways += ", " + way
		r.lines[len(r.lines)-1] = r.ways + ": " + why
		return
	}
	r.ways, r.why = way, why
	r.lines = append(r.lines, way+": "+why)
}

// serves reports why a way cannot serve a point.
func serves(k *kernel.Kernel, p model.Probe, at model.Point, w model.Way) error {
	var args []string
	if at.Bind != "" {
		for _, a := range p.Params {
			args = append(args, a.Name)
		}
	}
	switch w.Mechanism {
	case "TPBTF", "RawTP":
		return k.Tracepoint(w.Target, args)
	case "Fentry", "Fexit":
		if err := k.Words(w.Target, args, at.Returns); err != nil {
			return err
		}
		return k.Trampolines()
	case "Kprobe", "Kretprobe", "Pair":
		if err := k.Kprobes(); err != nil {
			return err
		}
		if strings.Contains(w.Target, "*") {
			return k.Matching(w.Target, args)
		}
		return k.Registers(w.Target, args, at.Returns)
	case "KprobeMulti":
		if err := k.KprobeMulti(); err != nil {
			return err
		}
		return k.Matching(w.Target, args)
	case "Uprobe", "Uretprobe":
		return k.Uprobes()
	case "UprobeMulti", "UretprobeMulti":
		return k.UprobeMulti()
	case "Cgroup", "XDP", "TCX", "SkLookup":
		return k.Attaches(w.Target)
	case "Clsact", "Socket", "PerfEvent":
		return nil // of modules, or older than BTF
	case "Iter":
		return k.Words("bpf_iter_"+w.Target, args, false)
	case "FmodRet", "LSM":
		function := w.Target
		if w.Mechanism == "LSM" {
			function = "bpf_lsm_" + function
		}
		if err := k.Words(function, args, false); err != nil {
			return err
		}
		return k.Trampolines()
	}
	return errors.New("no such mechanism")
}
