// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// smpQEMU is the first major version of QEMU whose TCG was seen to survive
// text poking on several CPUs. With 7.2 five of eight guests died in an
// `Oops: int3` within a hundred attaches.
const smpQEMU = 10

// qemu is an emulator found on this machine.
type qemu struct {
	path string
	args []string // where its firmware lies, if not at the default place
	env  []string
}

// findQEMU finds the emulator for an architecture: the installed one, or, with
// a dir, one whose Debian packages were unpacked below dir with `dpkg-deb -x`.
func findQEMU(a arch, dir string) (qemu, error) {
	if dir == "" {
		path, err := lookTool(a.qemu, a.pkg)
		return qemu{path: path}, err
	}
	root, err := findUp(dir)
	if err != nil {
		return qemu{}, fmt.Errorf("no folder %s here or above", dir)
	}
	q := qemu{path: filepath.Join(root, "usr/bin", a.qemu)}
	if _, err := os.Stat(q.path); err != nil {
		return qemu{}, fmt.Errorf("%w; unpack the Debian package %s there: dpkg-deb -x FILE %s", err, a.pkg, dir)
	}
	for _, share := range []string{"qemu", "seabios", "qemu-efi-aarch64"} {
		q.args = append(q.args, "-L", filepath.Join(root, "usr/share", share))
	}
	q.env = []string{"LD_LIBRARY_PATH=" + strings.Join([]string{
		filepath.Join(root, "usr/lib", hostTriplet()), filepath.Join(root, "lib", hostTriplet()), os.Getenv("LD_LIBRARY_PATH"),
	}, ":")}
	return q, nil
}

// qemuVersion matches the first line of `qemu-system-x86_64 -version`.
var qemuVersion = regexp.MustCompile(`version ((\d+)\.\d+[.\d]*)`)

// checkSMP refuses several CPUs on an emulator that corrupts them.
func (q qemu) checkSMP(ctx context.Context, cpus int) error {
	if cpus <= 1 {
		return nil
	}
	text, err := output(command(ctx, q.env, q.path, "-version"))
	if err != nil {
		return err
	}
	match := qemuVersion.FindStringSubmatch(text)
	if match == nil {
		return fmt.Errorf("%s does not say its version: %q", q.path, firstLine(text))
	}
	if major, err := strconv.Atoi(match[2]); err != nil || major < smpQEMU {
		return fmt.Errorf("%d CPUs need QEMU %d or newer, %s is %s: older ones corrupt the guest's kernel when probes are patched in on several CPUs; use 1 CPU, or another QEMU (bookworm-backports has one)",
			cpus, smpQEMU, q.path, match[1])
	}
	return nil
}

// commandLine is what QEMU is started with.
func (q qemu) commandLine(a arch, o Options, vmlinuz, initramfs string) []string {
	kernel := append([]string{
		"console=" + a.console, "quiet", "loglevel=3", "panic=-1", "oops=panic",
		"mitigations=off", "nokaslr", "random.trust_cpu=on", "audit=0",
	}, a.boot...)
	args := append(q.args, a.flags...)
	return append(args,
		"-accel", "tcg,thread=multi",
		"-smp", strconv.Itoa(o.CPUs),
		"-m", fmt.Sprintf("%dM", o.MemoryMiB),
		"-nodefaults", "-no-user-config", "-no-reboot", "-display", "none",
		"-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console",
		"-kernel", vmlinuz, "-initrd", initramfs,
		"-append", strings.Join(slices.Concat(kernel, clockRate(a.name), o.Append), " "),
	)
}
