// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"debug/elf"
	"fmt"
	"slices"
	"strings"
)

// arch is what differs between the processors a guest can have. Its name is
// Debian's and Go's alike.
type arch struct {
	name    string
	machine elf.Machine
	triplet string // of the C library's folder
	qemu    string // the program
	pkg     string // Debian's package of it
	flags   []string
	console string   // the serial port, as the kernel calls it
	boot    []string // more for the kernel's command line
}

// The processors. "max" is all that TCG can emulate; pauth-impdef replaces
// arm64's costly pointer signatures by cheap ones, which halves the boot.
var arches = []arch{
	{
		name: "amd64", machine: elf.EM_X86_64, triplet: "x86_64-linux-gnu",
		qemu: "qemu-system-x86_64", pkg: "qemu-system-x86",
		flags:   []string{"-machine", "q35", "-cpu", "max"},
		console: "ttyS0",
		boot:    []string{"no_timer_check", "tsc=reliable", "reboot=t"},
	},
	{
		name: "arm64", machine: elf.EM_AARCH64, triplet: "aarch64-linux-gnu",
		qemu: "qemu-system-aarch64", pkg: "qemu-system-arm",
		flags:   []string{"-machine", "virt", "-cpu", "max,pauth-impdef=on"},
		console: "ttyAMA0",
	},
}

// archOf finds an architecture by its name.
func archOf(name string) (arch, error) {
	i := slices.IndexFunc(arches, func(a arch) bool { return a.name == name })
	if i < 0 {
		names := make([]string, 0, len(arches))
		for _, a := range arches {
			names = append(names, a.name)
		}
		return arch{}, fmt.Errorf("no architecture is called %q; there are %s", name, strings.Join(names, " and "))
	}
	return arches[i], nil
}
