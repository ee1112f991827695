// SPDX-License-Identifier: Apache-2.0

package ktable

import "github.com/cilium/ebpf"

// rows are cells that are always there, in an array that is mapped: for each
// CPU those of generation 0, then those of generation 1; in each those of the
// keys of an array, then those of all other events, the overflow's.
type rows struct {
	mapped
	spec *Spec
	key  []byte
	sum  []uint64
}

func openRows(s *Spec, m *ebpf.Map) (*rows, error) {
	words, err := mapArray(m)
	if err != nil {
		return nil, err
	}
	return &rows{mapped: words, spec: s, sum: make([]uint64, s.Words)}, nil
}

// read calls row for each key of a generation that has events, adding up its
// CPUs, and clears it. No program counts in that generation now.
func (r *rows) read(generation int, row func(key []byte, cells []uint64, past bool)) {
	words := r.spec.Words
	block := r.spec.stride() * words // of a CPU and generation
	for n := range r.spec.Dense + 1 {
		counted := false
		for at := generation*block + n*words; at < len(r.words); at += 2 * block {
			cells := r.words[at : at+words]
			if cells[0] == 0 {
				continue
			}
			if !counted {
				counted = true
				clear(r.sum)
			}
			r.spec.Merge(r.sum, cells)
			clear(cells)
		}
		switch {
		case !counted:
		case n < r.spec.Dense:
			r.key = r.spec.Key(r.key[:0], n)
			row(r.key, r.sum, false)
		default:
			row(nil, r.sum, true)
		}
	}
}
