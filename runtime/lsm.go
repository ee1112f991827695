// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"unsafe"

	"github.com/redsift/ingraind/runtime/internal/btfargs"
	"golang.org/x/sys/unix"
)

// serveVerdict is for programs whose result decides: ours is 0, which leaves
// the decision to others.
func (k *Kernel) serveVerdict(c *choice, args []string) error {
	function := c.Target
	if c.Mechanism == LSM {
		function = "bpf_lsm_" + function // include/linux/bpf_lsm.h
	}
	prototype, err := btfargs.Function(k.Types, function)
	if err != nil {
		return k.noFunction(function, err)
	}
	if c.binding, err = prototype.Words(args, false); err != nil {
		return err
	}
	if c.Mechanism == LSM {
		if err := k.LSM(); err != nil {
			return err
		}
	}
	return k.Trampoline(c.Mechanism, c.Target)
}

// haveLSM sees that bpf is among the active security modules. Where it is not,
// programs load and attach, and nobody ever asks them (seen on 5.10).
func haveLSM() error {
	active, err := securityModules()
	if err != nil {
		return err
	}
	if slices.Contains(active, "bpf") {
		return nil
	}
	return fmt.Errorf("bpf is not among the active security modules, %s: the kernel's command line names them, lsm=%s,bpf",
		strings.Join(active, ", "), strings.Join(active, ","))
}

// bpfModule is LSM_ID_BPF (include/uapi/linux/lsm.h).
const bpfModule = 110

// securityModules are the active ones, or at least whether bpf is, "others" standing for the rest.
func securityModules() ([]string, error) {
	const file = "/sys/kernel/security/lsm"
	text, err := os.ReadFile(file)
	if err == nil {
		return strings.Split(strings.TrimSpace(string(text)), ","), nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	ids := make([]byte, 64*8)
	size := uint32(len(ids))
	n, _, errno := unix.Syscall(unix.SYS_LSM_LIST_MODULES, uintptr(unsafe.Pointer(&ids[0])), uintptr(unsafe.Pointer(&size)), 0) // since 6.8
	if errno != 0 {
		return nil, fmt.Errorf("whether bpf is an active security module is not known: mount securityfs at /sys/kernel/security")
	}
	modules := []string{"others"}
	for i := range int(n) {
		if binary.NativeEndian.Uint64(ids[i*8:]) == bpfModule {
			modules = append(modules, "bpf")
		}
	}
	return modules, nil
}
