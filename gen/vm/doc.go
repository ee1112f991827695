// SPDX-License-Identifier: Apache-2.0

// Package vm boots Debian's kernels under QEMU and runs a program in them, as
// a rule a Go test binary: cmd/vmtest is one word in front of it,
//
//	go test -exec "vmtest run -kernel .cache/kernels/6.12-amd64" ./pkg
//
// [Fetch] gets the kernels from the Debian mirror that the machine's own apt
// uses, [Run] boots one. A boot takes two to three seconds.
//
// # Why a runner of its own
//
// A monitor is only as good as the oldest kernel it was seen on, and the
// machines that run tests are often virtual ones without KVM, without a
// container engine and without a module registry that serves the known
// runners. Those runners share the host's directories over 9p, which Debian's
// cloud kernels do not have. So everything here is small enough to own:
//
//   - QEMU emulates (TCG), so neither KVM nor root is needed, and an arm64
//     guest runs on an x86-64 machine.
//   - There is no disk, no network and no 9p: the program, its testdata and
//     the kernel modules it needs travel in an initramfs, a newc cpio archive
//     that 100 lines write in a few milliseconds.
//   - The guest's init is the host's own binary (see [Guest]). It mounts what
//     a Linux machine has mounted, loads modules, runs the program as a child
//     and prints its exit code, behind a marker that is new for each run, on
//     the serial port. The host reads that port and nothing else.
//
// # Limits
//
//   - Under emulation code runs 5 to 30 times slower, and the serial port
//     carries about 400 kB a second, files that come back included.
//   - More than one CPU needs QEMU 10: older ones run several CPUs into
//     corrupted kernel text when probes are patched in; Run refuses.
//   - Modules are found by their names and `depends=`; soft dependencies and
//     aliases are not followed, so name them in [Options.Modules].
//   - The guest has lo and no other network card, no swap, no users beside
//     root and nobody, and no program except those it was given.
//   - The program's environment is a fresh one plus [Options.Env].
//   - Nothing is tuned for eBPF: before 5.11 RLIMIT_MEMLOCK (64 KiB) counts
//     and the program has to raise it, and 5.10 runs BPF LSM programs only
//     with lsm=lockdown,capability,bpf on its command line ([Options.Append]).
package vm
