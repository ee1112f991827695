// SPDX-License-Identifier: Apache-2.0

// Package ktable keeps the maps of tables that programs count in
// (bpf/include/table.h): it makes them, lets programs go on to the other
// generation, and reads and clears the one that they have left.
package ktable

import (
	"errors"
	"fmt"
	"slices"

	"github.com/cilium/ebpf"
)

// Spec describes a table.
type Spec struct {
	Name    string // as in the names of its maps
	KeySize int    // bytes, of a hash: a multiple of 8
	Max     int    // keys of a hash
	Dense   int    // keys of an array: 0 to Dense-1; 0 for a hash
	Words   int    // 64-bit words of a key's cells; word 0 counts events
	CPUs    int    // that may ever exist

	// Merge adds src, the cells of one CPU, to dst, which is zero at first.
	Merge func(dst, src []uint64)
	// Key appends key number n of an array as the bytes of a key, as many as
	// the table's rows have.
	Key func(dst []byte, n int) []byte

	// Barrier is what the table waits with. Tables that share one wait
	// together. nil is one of the table's own.
	Barrier *Barrier
}

// Table is the maps of a table. Its methods are for one goroutine at a time.
type Table struct {
	spec    Spec
	maps    []*ebpf.Map // all, in the order in which they were made
	names   []string    // what objects call them
	shared  shared
	rows    *rows
	hash    *hash // nil for an array
	barrier *Barrier
	own     bool // the barrier is of this table alone

	swapped bool   // programs are to leave the generation before, which has not been read to its end
	mark    uint64 // when that began, as the barrier tells time
	quiet   bool   // they have left it
}

// New makes the maps.
func New(s Spec) (*Table, error) {
	if err := errors.Join(s.check(), s.checkCPUs()); err != nil {
		return nil, fmt.Errorf("table %s: %w", s.Name, err)
	}
	t := &Table{spec: s, barrier: s.Barrier}
	if err := t.make(); err != nil {
		return nil, errors.Join(fmt.Errorf("table %s, of %d MiB: %w", s.Name, s.Bytes()>>20, err), t.Close())
	}
	return t, nil
}

func (t *Table) make() error {
	s := &t.spec
	head, err := t.add(sharedSpec(s))
	if err != nil {
		return err
	}
	if t.shared, err = openShared(head); err != nil {
		return err
	}
	rows, err := t.add(rowsSpec(s))
	if err != nil {
		return err
	}
	if t.rows, err = openRows(s, rows); err != nil {
		return err
	}
	if s.Dense == 0 {
		t.shared.setMost(s.Max)
		t.hash = newHash(s)
		for i, name := range []string{"ingrain_even_", "ingrain_odd_"} {
			if t.hash.maps[i], err = t.add(name+s.Name, hashSpec(s)); err != nil {
				return err
			}
		}
	}
	if t.barrier == nil {
		t.own = true
		t.barrier, err = NewBarrier()
	}
	return err
}

// add makes a map that objects know by a name.
func (t *Table) add(name string, spec *ebpf.MapSpec) (*ebpf.Map, error) {
	spec.Name = t.spec.Name
	m, err := ebpf.NewMap(spec)
	if err != nil {
		return nil, fmt.Errorf("make map %s: %w", name, err)
	}
	t.maps, t.names = append(t.maps, m), append(t.names, name)
	return m, nil
}

// Fit makes an object's descriptions of the table's maps those of the maps
// themselves, and returns the maps that stand in for them, by name. An object
// of which no program counts in the table has none. The object is to have the
// programs that will be loaded, and no others.
func (t *Table) Fit(object *ebpf.CollectionSpec) (map[string]*ebpf.Map, error) {
	stand := map[string]*ebpf.Map{}
	for i, name := range t.names {
		if m := object.Maps[name]; m != nil {
			m.MaxEntries = t.maps[i].MaxEntries()
			stand[name] = t.maps[i]
		}
	}
	if v := object.Variables["ingrain_alone_"+t.spec.Name]; v != nil {
		if err := v.Set(t.alone(object)); err != nil {
			return nil, fmt.Errorf("table %s: %w", t.spec.Name, err)
		}
	}
	return stand, nil
}

// Swap lets programs count in the other generation from now on, if Flush has
// read that. It does not wait: to be called when an interval ends, whatever
// time Flush is called.
func (t *Table) Swap() {
	if t.swapped {
		return
	}
	t.swapped, t.quiet = true, false
	t.shared.swap()
	t.mark = t.barrier.now()
}

// Flush calls row for each key that has had events in the generation that
// programs have left, and last, with past true and no key, for the events of
// keys that had no cells. key and cells are valid during the call. Of what was
// told nothing is left. Flush calls Swap if nobody has since the last Flush,
// and waits for the programs that are running, some tens of milliseconds. When
// it fails, the next one goes on where it stopped.
func (t *Table) Flush(row func(key []byte, cells []uint64, past bool)) error {
	t.Swap()
	if !t.quiet {
		if err := t.barrier.wait(t.mark); err != nil {
			return fmt.Errorf("table %s: %w", t.spec.Name, err)
		}
		t.quiet = true
	}
	left := 1 - t.shared.generation()
	if t.hash != nil && t.shared.keys(left) > 0 {
		if err := t.hash.read(left, row); err != nil {
			return fmt.Errorf("table %s: %w", t.spec.Name, err)
		}
		t.shared.noKeys(left)
	}
	t.rows.read(left, row)
	t.swapped = false
	return nil
}

// Keys is how many keys have cells of their own in the generation that programs
// count in. Of an array it is 0.
func (t *Table) Keys() int { return int(t.shared.keys(t.shared.generation())) }

// Refused is how often so far an event of a hash went to the overflow although
// there was room: an interrupt met the hash in the middle of an insertion.
func (t *Table) Refused() uint64 { return t.shared.refused() }

// Has reports whether objects call a map of the table so.
func (t *Table) Has(name string) bool { return slices.Contains(t.names, name) }

// Bytes is how much of the kernel's memory the maps take.
func (t *Table) Bytes() int64 { return t.spec.Bytes() }

// Close releases the maps; the kernel frees them when no program uses them.
func (t *Table) Close() error {
	var errs []error
	errs = append(errs, t.shared.close())
	if t.rows != nil {
		errs = append(errs, t.rows.close())
	}
	for _, m := range t.maps {
		errs = append(errs, m.Close())
	}
	if t.own && t.barrier != nil {
		errs = append(errs, t.barrier.Close())
	}
	return errors.Join(errs...)
}
