// SPDX-License-Identifier: Apache-2.0

package syscalls

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLookupKnowsNumbersOfEachArchitecture(t *testing.T) {
	for name, want := range map[string][4]int{ // amd64, arm64, i386, arm
		"openat":         {257, 56, 295, 322},
		"execve":         {59, 221, 11, 11},
		"execveat":       {322, 281, 358, 387},
		"connect":        {42, 203, 362, 283},
		"accept":         {43, 202, None, 285}, // i386 has accept4 and socketcall
		"read":           {0, 63, 3, 3},
		"clone":          {56, 220, 120, 120},
		"mmap":           {9, 222, 90, None}, // arm has mmap2
		"sendfile":       {40, 71, 187, 187},
		"newfstatat":     {262, 79, None, None}, // both have fstatat64
		"fstat":          {5, 80, 108, 108},
		"uname":          {63, 160, 122, 122},
		"umount2":        {166, 39, 52, 52},
		"bpf":            {321, 280, 357, 386},
		"rt_sigreturn":   {15, 139, 173, 173},
		"io_uring_setup": {425, 425, 425, 425},
		"open":           {2, None, 5, 5},
		"stat":           {4, None, 106, 106},
		"fork":           {57, None, 2, 2},
		"unlink":         {87, None, 10, 10},
		"arch_prctl":     {158, None, 384, None},
	} {
		c, ok := Lookup(name)
		if !ok {
			t.Errorf("Lookup(%q): not found", name)
			continue
		}
		if got := [4]int{c.Amd64, c.Arm64, c.I386, c.Arm}; c.Name != name || got != want {
			t.Errorf("Lookup(%q): got %s %v, want %v", name, c.Name, got, want)
		}
	}
}

func TestLookupWantsTheNameOfTheMacro(t *testing.T) {
	for _, name := range []string{"", "newstat", "newfstat", "newlstat", "newuname", "sendfile64", "umount", "Openat", "sys_openat", "zzz"} {
		if c, ok := Lookup(name); ok {
			t.Errorf("Lookup(%q): got %v, want none", name, c)
		}
	}
}

func TestArgumentsHaveNamesAndTypesInOrder(t *testing.T) {
	for name, want := range map[string][]Arg{
		"openat":   {{"dfd", "int"}, {"filename", "const char *"}, {"flags", "int"}, {"mode", "umode_t"}},
		"execve":   {{"filename", "const char *"}, {"argv", "const char *const *"}, {"envp", "const char *const *"}},
		"stat":     {{"filename", "const char *"}, {"statbuf", "struct stat *"}},
		"uname":    {{"name", "struct new_utsname *"}},
		"umount2":  {{"name", "char *"}, {"flags", "int"}},
		"sendfile": {{"out_fd", "int"}, {"in_fd", "int"}, {"offset", "loff_t *"}, {"count", "size_t"}},
		"getpid":   nil,
	} {
		c, _ := Lookup(name)
		if diff := cmp.Diff(want, c.ArgsOn("amd64")); diff != "" {
			t.Errorf("%s on amd64 (-want +got):\n%s", name, diff)
		}
		if diff := cmp.Diff(want, c.ArgsOn("arm64")); diff != "" {
			t.Errorf("%s on arm64 (-want +got):\n%s", name, diff)
		}
	}
}

func TestCloneHasItsTLSFourthOnArm64(t *testing.T) {
	c, _ := Lookup("clone")
	names := func(args []Arg) (names []string) {
		for _, a := range args {
			names = append(names, a.Name)
		}
		return names
	}
	amd64 := []string{"clone_flags", "newsp", "parent_tidptr", "child_tidptr", "tls"}
	if got := names(c.ArgsOn("amd64")); !slices.Equal(got, amd64) {
		t.Errorf("amd64: got %v, want %v", got, amd64)
	}
	arm64 := []string{"clone_flags", "newsp", "parent_tidptr", "tls", "child_tidptr"}
	if got := names(c.ArgsOn("arm64")); !slices.Equal(got, arm64) {
		t.Errorf("arm64: got %v, want %v", got, arm64)
	}
}

func TestNumbersAreUniqueOnEachArchitecture(t *testing.T) {
	for arch, number := range map[string]func(Call) int{
		"amd64": func(c Call) int { return c.Amd64 },
		"arm64": func(c Call) int { return c.Arm64 },
		"i386":  func(c Call) int { return c.I386 },
		"arm":   func(c Call) int { return c.Arm },
	} {
		owner := make(map[int]string)
		for _, c := range table {
			n := number(c)
			if n == None {
				continue
			}
			if n < 0 || n > 1000 {
				t.Errorf("%s on %s: got number %d, want 0 to 1000", c.Name, arch, n)
			}
			if other, taken := owner[n]; taken {
				t.Errorf("%s: number %d belongs to %s and %s", arch, n, other, c.Name)
			}
			owner[n] = c.Name
		}
	}
}

func TestEveryCallExistsOnA64BitArchitecture(t *testing.T) {
	if len(table) < 380 {
		t.Errorf("got %d calls, want at least the 380 of Linux 6.18", len(table))
	}
	for _, c := range table {
		if c.Amd64 == None && c.Arm64 == None {
			t.Errorf("%s: exists on neither", c.Name)
		}
	}
}

func TestNamesAreSortedAndFound(t *testing.T) {
	names := Names()
	if !slices.IsSorted(names) {
		t.Error("names are not sorted: a binary search misses some")
	}
	for _, name := range names {
		if c, ok := Lookup(name); !ok || c.Name != name {
			t.Errorf("Lookup(%q): got %q, %t", name, c.Name, ok)
		}
	}
}

func TestArgumentsAreWellFormed(t *testing.T) {
	for _, c := range table {
		for _, args := range [][]Arg{c.Args, c.ArgsOn("arm64")} {
			if len(args) > 6 {
				t.Errorf("%s: got %d arguments, want at most 6", c.Name, len(args))
			}
			seen := make(map[string]bool)
			for _, a := range args {
				if a.Name == "" || strings.ContainsAny(a.Name, " *") {
					t.Errorf("%s: got the argument name %q", c.Name, a.Name)
				}
				if a.Type == "" || a.Type != strings.TrimSpace(a.Type) || strings.Contains(a.Type, "* *") || strings.Contains(a.Type, "__user") {
					t.Errorf("%s: got the type %q of %s", c.Name, a.Type, a.Name)
				}
				if seen[a.Name] {
					t.Errorf("%s: two arguments are called %s", c.Name, a.Name)
				}
				seen[a.Name] = true
			}
		}
	}
}

// Every other call has arguments; the second group has a number and nothing
// behind it.
func TestOnlyTheseCallsHaveNoArguments(t *testing.T) {
	want := []string{
		"fork", "getegid", "geteuid", "getgid", "getpgrp", "getpid", "getppid", "gettid", "getuid", "inotify_init",
		"munlockall", "pause", "restart_syscall", "rseq_slice_yield", "rt_sigreturn", "sched_yield", "setsid", "sync",
		"uprobe", "uretprobe", "vfork", "vhangup",

		"_sysctl", "afs_syscall", "create_module", "epoll_ctl_old", "epoll_wait_old", "get_kernel_syms", "getpmsg",
		"nfsservctl", "putpmsg", "query_module", "security", "tuxcall", "vserver",
	}
	slices.Sort(want)
	var got []string
	for _, c := range table {
		if len(c.Args) == 0 {
			got = append(got, c.Name)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("calls without arguments (-want +got):\n%s", diff)
	}
}

func TestExecLosesItsArguments(t *testing.T) {
	for name, want := range map[string]bool{"execve": true, "execveat": true, "rt_sigreturn": true, "openat": false, "clone": false, "": false} {
		if got := ClobbersArguments(name); got != want {
			t.Errorf("ClobbersArguments(%q): got %t, want %t", name, got, want)
		}
	}
	for _, name := range []string{"execve", "execveat", "rt_sigreturn", "uprobe", "uretprobe"} {
		if _, ok := Lookup(name); !ok {
			t.Errorf("%s is no system call", name)
		}
	}
}
