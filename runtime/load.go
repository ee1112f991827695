// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"

	"github.com/cilium/ebpf"

	"github.com/redsift/ingraind/runtime/internal/ktable"
)

// Loaded is a grain whose programs are in the kernel. Its methods are for one
// goroutine at a time.
type Loaded struct {
	plan    *Plan
	shared  *Shared
	options LoadOptions
	// The programs and maps; then, for each further variant of a point, its
	// program, with the same maps.
	collections []*ebpf.Collection
	links       []attachment
	books       map[string]*ebpf.Map     // the ledger's maps: the same whatever is loaded again
	tables      map[string]*ktable.Table // likewise; by Table.Map
	skipped     []uint64                 // for each probe, what was skipped by programs that are gone
}

// LoadOptions are what an agent decides for a grain.
type LoadOptions struct {
	Number uint16              // the grain's, in the records of this agent
	Params map[string]int64    // those that are not at their defaults
	Calls  map[string]Calls    // likewise, of type Syscalls
	Paths  map[string][]string // likewise, of type Paths
	Log    *slog.Logger        // gets the log of a verifier that refuses a program, at level debug; nil: nobody does
}

// Load puts the programs of a plan into the kernel, without attaching them.
// When one does not load in the way that was planned, the next way of its
// point is tried, until none is left. s must outlive the result.
func (p *Plan) Load(s *Shared, o LoadOptions) (*Loaded, error) {
	l := &Loaded{plan: p, shared: s, options: o, skipped: make([]uint64, len(p.Grain.Probes))}
	if err := l.makeTables(); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	if err := l.load(); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// Try loads the programs of a plan and frees them again, attached to nothing:
// what the kernel's verifier refuses is known then. The result is the plan as
// it would run, with Err when it would not.
func (p *Plan) Try() *Plan {
	if p.Err != nil {
		return p
	}
	fail := func(err error) *Plan {
		tried := *p
		tried.Err = err
		return &tried
	}
	shared, err := p.kernel.Share(SharedOptions{Bytes: 1})
	if err != nil {
		return fail(err)
	}
	defer shared.Close()
	l := &Loaded{plan: p, shared: shared, skipped: make([]uint64, len(p.Grain.Probes))}
	err = l.load()
	tried := l.plan
	if err := errors.Join(err, l.Close()); err != nil && tried.Err == nil {
		return fail(err)
	}
	return tried
}

// load loads l.plan, or what is left of it after attempts that fail.
func (l *Loaded) load() error {
	for {
		if l.plan.Err != nil {
			return l.plan.Err
		}
		err := l.loadOnce()
		if err == nil {
			return nil
		}
		failed, ok := l.plan.culprit(err)
		if !ok {
			return fmt.Errorf("%s: load: %w", l.plan.Grain.Name, err)
		}
		l.plan = l.plan.without(failed, explain(err))
	}
}

func (l *Loaded) loadOnce() (err error) {
	defer func() {
		if err != nil {
			l.free()
		}
	}()
	for n := range l.plan.variants() {
		spec, replacements, err := l.plan.prepare(l.shared, l.options, l.tables, n)
		if err != nil {
			return err
		}
		maps.Copy(replacements, l.books)
		if n > 0 {
			for name := range spec.Maps {
				if m := l.collections[0].Maps[name]; m != nil && !strings.HasPrefix(name, ".rodata") { // which says where arguments are
					replacements[name] = m
				}
			}
		}
		collection, err := ebpf.NewCollectionWithOptions(spec, ebpf.CollectionOptions{
			MapReplacements: replacements,
			Cache:           l.plan.kernel.cache,
			Programs:        ebpf.ProgramOptions{KernelTypes: l.plan.kernel.given},
		})
		if err != nil {
			return l.refusedBy(err, spec)
		}
		l.collections = append(l.collections, collection)
	}
	return l.keepBooks()
}

// makeTables makes the maps of the grain's tables in the kernel.
func (l *Loaded) makeTables() error {
	g := l.plan.Grain
	for i := range g.Tables {
		t := &g.Tables[i]
		if !t.InKernel() {
			continue
		}
		made, err := ktable.New(t.kernelSpec(l.plan.kernel.CPUs, l.shared.barrier))
		if err != nil {
			return fmt.Errorf("%s: %w", g.Name, err)
		}
		if l.tables == nil {
			l.tables = map[string]*ktable.Table{}
		}
		l.tables[t.Map] = made
	}
	return nil
}

// keepBooks holds on to the ledger's maps, so that they go on when the
// programs are loaded again.
func (l *Loaded) keepBooks() error {
	if l.books != nil {
		return nil
	}
	l.books = map[string]*ebpf.Map{}
	for _, name := range []string{ledgerMap, missedMap} {
		m := l.collections[0].Maps[name]
		if m == nil {
			return fmt.Errorf("its object has no map %s", name)
		}
		clone, err := m.Clone()
		if err != nil {
			return fmt.Errorf("keep map %s: %w", name, err)
		}
		l.books[name] = clone
	}
	return nil
}

// culprit finds the choice whose program an error of loading is about.
func (p *Plan) culprit(err error) (attempt, bool) {
	for _, c := range p.chosen {
		for _, name := range c.Programs {
			if strings.HasPrefix(err.Error(), "program "+name+":") {
				return c.attempt, true
			}
		}
	}
	return attempt{}, false
}

// Plan is what runs in the end.
func (l *Loaded) Plan() *Plan { return l.plan }

// Map is one of the grain's own maps, or nil when none of the programs that
// were loaded uses it. It stays l's, and is another one after Attach.
func (l *Loaded) Map(name string) *ebpf.Map {
	if len(l.collections) == 0 {
		return nil
	}
	return l.collections[0].Maps[name]
}

// free frees the programs and maps.
func (l *Loaded) free() {
	for _, c := range l.collections {
		c.Close()
	}
	l.collections = nil
}

// unload detaches and frees the programs and maps, but keeps the books.
func (l *Loaded) unload() error {
	err := l.Detach()
	for _, c := range l.plan.chosen {
		l.skipped[c.probe] += l.recursions(c)
	}
	l.free()
	return err
}

// Close detaches and frees all that the grain has in the kernel.
func (l *Loaded) Close() error {
	errs := []error{l.unload()}
	for _, m := range l.books {
		errs = append(errs, m.Close())
	}
	l.books = nil
	for _, t := range l.tables {
		errs = append(errs, t.Close())
	}
	l.tables = nil
	return errors.Join(errs...)
}
