// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// readNumbers reads lines of the two forms that kernel headers have:
//
//	#define __NR_openat 257
//	#define __NR_openat (__NR_SYSCALL_BASE + 322)
//
// The base is 0 under arm's EABI.
func readNumbers(path string) (map[string]int, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read numbers: %w", err)
	}
	numbers := make(map[string]int)
	for i, line := range strings.Split(string(text), "\n") {
		line, ok := strings.CutPrefix(line, "#define __NR_")
		if !ok {
			continue
		}
		name, value, _ := strings.Cut(line, " ")
		value = strings.TrimSuffix(strings.TrimPrefix(value, "(__NR_SYSCALL_BASE + "), ")")
		n, err := strconv.Atoi(strings.TrimSpace(value))
		if err != nil {
			return nil, fmt.Errorf("%s:%d: number of %s: %w", path, i+1, name, err)
		}
		numbers[name] = n
	}
	if _, ok := numbers["openat"]; !ok {
		return nil, fmt.Errorf("%s: no openat; is it a header that includes another?", path)
	}
	return numbers, nil
}

// readArguments returns for each call that tracefs knows, under its name
// there, its arguments as C writes them: "int dfd, const char *filename".
func readArguments(tracefs string) (map[string]string, error) {
	formats, err := filepath.Glob(filepath.Join(tracefs, "events/syscalls/sys_enter_*/format"))
	if err != nil {
		return nil, fmt.Errorf("list system calls: %w", err)
	}
	if len(formats) == 0 {
		return nil, fmt.Errorf("no system calls in %s; as root, mount -t tracefs nodev %s", tracefs, tracefs)
	}
	traced := make(map[string]string)
	for _, path := range formats {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read arguments: %w", err)
		}
		name := strings.TrimPrefix(filepath.Base(filepath.Dir(path)), "sys_enter_")
		traced[name] = fields(string(text))
	}
	return traced, nil
}

// fields joins the declarations that follow __syscall_nr:
//
//	field:const char * filename;	offset:24;	size:8;	signed:0;
//
// Newer kernels end with fields that hold copies of what arguments point to
// (__data_loc); those are no arguments.
func fields(format string) string {
	_, after, _ := strings.Cut(format, "__syscall_nr;")
	var args []string
	for _, line := range strings.Split(after, "\n") {
		line, ok := strings.CutPrefix(line, "\tfield:")
		if !ok || strings.HasPrefix(line, "__data_loc") {
			continue
		}
		declaration, _, _ := strings.Cut(line, ";")
		args = append(args, declaration)
	}
	return strings.Join(args, ", ")
}
