// SPDX-License-Identifier: Apache-2.0

package runtime

// ProgramSize is how large a program is to a kernel.
type ProgramSize struct {
	Probe, Program string

	Instructions int // as the kernel runs them, before they are compiled
	Verified     int // how many the verifier went through; 0: the kernel does not say (before 5.16)
}

// Sizes are those of the programs that were loaded.
func (l *Loaded) Sizes() ([]ProgramSize, error) {
	var sizes []ProgramSize
	for _, c := range l.plan.chosen {
		for _, name := range c.Programs {
			info, err := l.collections[0].Programs[name].Info()
			if err != nil {
				return nil, err
			}
			size := ProgramSize{Probe: l.plan.Grain.Probes[c.probe].Name, Program: name}
			if bytes, err := info.TranslatedSize(); err == nil {
				size.Instructions = bytes / 8
			}
			if n, ok := info.VerifiedInstructions(); ok {
				size.Verified = int(n)
			}
			sizes = append(sizes, size)
		}
	}
	return sizes, nil
}
