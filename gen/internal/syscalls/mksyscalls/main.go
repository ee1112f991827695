// SPDX-License-Identifier: Apache-2.0

// Mksyscalls writes table.go, the system calls of package syscalls.
//
// Numbers come from the kernel's user headers, which Debian ships for all its
// architectures in one package since Linux 6.11 (trixie-backports):
//
//	apt-get download linux-libc-dev && dpkg-deb -x linux-libc-dev_*.deb headers
//
// Names and types of arguments come from a running kernel's tracefs, the newer
// the better, completed by completed.go. As root, in this folder's parent:
//
//	mount -t tracefs nodev /sys/kernel/tracing
//	U=headers/usr/lib/linux/uapi
//	go run ./mksyscalls -amd64 $U/x86/asm/unistd_64.h -arm64 $U/arm64/asm/unistd_64.h \
//		-i386 $U/x86/asm/unistd_32.h -arm $U/arm/asm/unistd-eabi.h -o table.go
//
// A call of which neither source knows the arguments is an error: look it up
// in the kernel's include/linux/syscalls.h and add it to completed.go.
package main

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "mksyscalls:", err)
		os.Exit(1)
	}
}

func run() error {
	amd64 := flag.String("amd64", "", "`header` with the numbers of amd64 (unistd_64.h)")
	arm64 := flag.String("arm64", "", "`header` with the numbers of arm64 (unistd_64.h)")
	i386 := flag.String("i386", "", "`header` with the numbers of i386 (unistd_32.h)")
	arm := flag.String("arm", "", "`header` with the numbers of 32-bit arm (unistd-eabi.h)")
	tracefs := flag.String("tracefs", "/sys/kernel/tracing", "where tracefs is mounted")
	out := flag.String("o", "table.go", "`file` to write")
	flag.Parse()

	var numbers [4]map[string]int
	for i, path := range []string{*amd64, *arm64, *i386, *arm} {
		var err error
		if numbers[i], err = readNumbers(path); err != nil {
			return err
		}
	}
	traced, err := readArguments(*tracefs)
	if err != nil {
		return err
	}

	names := make(map[string]bool)
	for name := range numbers[0] {
		names[name] = true
	}
	for name := range numbers[1] {
		names[name] = true
	}

	var rows []row
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(names)) {
		args, ok := argumentsOf(name, traced)
		if !ok {
			errs = append(errs, fmt.Errorf("arguments of %s are not known", name))
		}
		r := row{name: name, args: args, arm64Args: onArm64[name]}
		for i, of := range numbers {
			r.numbers[i] = none
			if n, ok := of[name]; ok {
				r.numbers[i] = n
			}
		}
		rows = append(rows, r)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return write(*out, rows)
}

// argumentsOf prefers the running kernel's word.
func argumentsOf(name string, traced map[string]string) (args string, ok bool) {
	asTraced := name
	if alias, ok := tracedAs[name]; ok {
		asTraced = alias
	}
	if args, ok = traced[asTraced]; ok {
		return args, true
	}
	if args, ok = completed[name]; ok {
		return args, true
	}
	return "", slices.Contains(unimplemented, name)
}
