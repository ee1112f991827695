// SPDX-License-Identifier: Apache-2.0

package syscalls

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestNumbersAreThoseOfTheUnixPackage(t *testing.T) {
	for name, want := range map[string]int{
		"accept4": unix.SYS_ACCEPT4, "bind": unix.SYS_BIND, "bpf": unix.SYS_BPF, "capset": unix.SYS_CAPSET,
		"chmod": unix.SYS_CHMOD, "chroot": unix.SYS_CHROOT, "clone": unix.SYS_CLONE, "clone3": unix.SYS_CLONE3,
		"close": unix.SYS_CLOSE, "connect": unix.SYS_CONNECT, "delete_module": unix.SYS_DELETE_MODULE,
		"dup3": unix.SYS_DUP3, "epoll_wait": unix.SYS_EPOLL_WAIT, "execve": unix.SYS_EXECVE,
		"execveat": unix.SYS_EXECVEAT, "exit_group": unix.SYS_EXIT_GROUP, "fchmodat2": unix.SYS_FCHMODAT2,
		"finit_module": unix.SYS_FINIT_MODULE, "fork": unix.SYS_FORK, "fstat": unix.SYS_FSTAT,
		"futex": unix.SYS_FUTEX, "getdents64": unix.SYS_GETDENTS64, "init_module": unix.SYS_INIT_MODULE,
		"io_uring_enter": unix.SYS_IO_URING_ENTER, "kexec_file_load": unix.SYS_KEXEC_FILE_LOAD,
		"keyctl": unix.SYS_KEYCTL, "kill": unix.SYS_KILL, "lsm_list_modules": unix.SYS_LSM_LIST_MODULES,
		"lstat": unix.SYS_LSTAT, "map_shadow_stack": unix.SYS_MAP_SHADOW_STACK, "memfd_create": unix.SYS_MEMFD_CREATE,
		"mmap": unix.SYS_MMAP, "mount": unix.SYS_MOUNT, "mprotect": unix.SYS_MPROTECT, "mseal": unix.SYS_MSEAL,
		"newfstatat": unix.SYS_NEWFSTATAT, "open": unix.SYS_OPEN, "openat": unix.SYS_OPENAT,
		"openat2": unix.SYS_OPENAT2, "perf_event_open": unix.SYS_PERF_EVENT_OPEN, "pidfd_open": unix.SYS_PIDFD_OPEN,
		"prctl": unix.SYS_PRCTL, "pread64": unix.SYS_PREAD64, "prlimit64": unix.SYS_PRLIMIT64,
		"process_vm_writev": unix.SYS_PROCESS_VM_WRITEV, "ptrace": unix.SYS_PTRACE, "read": unix.SYS_READ,
		"renameat2": unix.SYS_RENAMEAT2, "rt_sigreturn": unix.SYS_RT_SIGRETURN, "sendfile": unix.SYS_SENDFILE,
		"sendto": unix.SYS_SENDTO, "setns": unix.SYS_SETNS, "setuid": unix.SYS_SETUID, "socket": unix.SYS_SOCKET,
		"stat": unix.SYS_STAT, "statx": unix.SYS_STATX, "symlinkat": unix.SYS_SYMLINKAT, "umount2": unix.SYS_UMOUNT2,
		"uname": unix.SYS_UNAME, "unlink": unix.SYS_UNLINK, "unlinkat": unix.SYS_UNLINKAT, "unshare": unix.SYS_UNSHARE,
		"vfork": unix.SYS_VFORK, "write": unix.SYS_WRITE, "writev": unix.SYS_WRITEV,
	} {
		if c, _ := Lookup(name); c.Amd64 != want || c.Name != name {
			t.Errorf("%s: got number %d, want %d", name, c.Amd64, want)
		}
	}
}
