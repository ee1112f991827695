// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// mounts are what a Linux machine has mounted, in order.
var mounts = []struct {
	kind, at string
	flags    uintptr
	data     string
}{
	{"proc", "/proc", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, ""},
	{"sysfs", "/sys", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, ""},
	{"devtmpfs", "/dev", unix.MS_NOSUID, "mode=0755"},
	{"devpts", "/dev/pts", unix.MS_NOSUID | unix.MS_NOEXEC, "mode=620,ptmxmode=666"},
	{"tmpfs", "/dev/shm", unix.MS_NOSUID | unix.MS_NODEV, "mode=1777"},
	{"tmpfs", "/run", unix.MS_NOSUID | unix.MS_NODEV, "mode=0755"},
	{"securityfs", "/sys/kernel/security", 0, ""},
	{"debugfs", "/sys/kernel/debug", 0, ""},
	{"tracefs", "/sys/kernel/tracing", 0, ""},
	{"bpf", "/sys/fs/bpf", 0, "mode=0700"},
	{"cgroup2", "/sys/fs/cgroup", 0, ""},
}

// mountAll mounts them. Root comes first: the initramfs is bound over itself,
// so that / is a mount above another one, as on a machine with a disk, and
// pivot_root works.
func mountAll() error {
	if err := bindRoot(); err != nil {
		return fmt.Errorf("bind the root: %w", err)
	}
	for _, m := range mounts {
		if err := os.MkdirAll(m.at, 0o755); err != nil {
			return fmt.Errorf("mount %s: %w", m.kind, err)
		}
		if err := unix.Mount(m.kind, m.at, m.kind, m.flags, m.data); err != nil {
			return fmt.Errorf("mount %s on %s: %w", m.kind, m.at, err)
		}
	}
	for link, target := range map[string]string{
		"/dev/fd": "/proc/self/fd", "/dev/stdin": "/proc/self/fd/0", "/dev/stdout": "/proc/self/fd/1", "/dev/stderr": "/proc/self/fd/2",
	} {
		if err := os.Symlink(target, link); err != nil {
			return err
		}
	}
	return nil
}

func bindRoot() error {
	if err := unix.Mount("/", "/mnt", "", unix.MS_BIND, ""); err != nil {
		return err
	}
	if err := unix.Chdir("/mnt"); err != nil {
		return err
	}
	if err := unix.Mount(".", "/", "", unix.MS_MOVE, ""); err != nil {
		return err
	}
	if err := unix.Chroot("."); err != nil {
		return err
	}
	if err := unix.Chdir("/"); err != nil {
		return err
	}
	return unix.Chmod("/", 0o755) // a tmpfs lets anybody write
}
