// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// fileList is a flag that collects files.
func fileList(files *[]File) func(string) error {
	return func(s string) error {
		f, err := ParseFile(s)
		if err != nil {
			return err
		}
		*files = append(*files, f)
		return nil
	}
}

// passed are the variables that each program gets: ours and the Go runtime's.
func passed(environ []string) []string {
	return slices.DeleteFunc(slices.Clone(environ), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return !strings.HasPrefix(name, "INGRAIN_") && !slices.Contains([]string{"GODEBUG", "GOGC", "GOMAXPROCS", "GOTRACEBACK", "TZ"}, name)
	})
}

// lookEnv is NAME=VALUE as it is, or the pair of environ with that name.
func lookEnv(s string, environ []string) []string {
	if strings.Contains(s, "=") {
		return []string{s}
	}
	for _, pair := range environ {
		if strings.HasPrefix(pair, s+"=") {
			return []string{pair}
		}
	}
	return nil
}

// parseMemory reads "", "512", "512M" or "2G" as MiB.
func parseMemory(s string) (int, error) {
	if s == "" {
		return 0, nil
	}
	number, factor := strings.TrimSuffix(s, "M"), 1
	if n, ok := strings.CutSuffix(s, "G"); ok {
		number, factor = n, 1024
	}
	n, err := strconv.Atoi(number)
	if err != nil || n <= 0 || n > 1<<20 {
		return 0, fmt.Errorf("memory %q is not a size such as 512M or 2G", s)
	}
	return n * factor, nil
}

// folders are those that a Go test binary with these arguments writes to and
// does not make.
func folders(args []string) []string {
	var dirs []string
	for _, arg := range args {
		for _, flag := range []string{"-test.gocoverdir=", "-test.outputdir="} {
			if dir, ok := strings.CutPrefix(arg, flag); ok {
				dirs = append(dirs, dir)
			}
		}
	}
	return dirs
}

// profiles are the files that a Go test binary with these arguments writes,
// and that go test expects to find afterwards.
func profiles(args []string) []File {
	var files []File
	dir := ""
	for _, arg := range args {
		if value, ok := strings.CutPrefix(arg, "-test.outputdir="); ok {
			dir = value
		}
	}
	for _, arg := range args {
		name, value, ok := strings.Cut(arg, "=")
		kind, test := strings.CutPrefix(name, "-test.")
		if !ok || !test || !slices.Contains([]string{"coverprofile", "cpuprofile", "memprofile", "blockprofile", "mutexprofile", "trace"}, kind) {
			continue
		}
		if !filepath.IsAbs(value) {
			value = filepath.Join(dir, value)
		}
		files = append(files, File{value, value})
	}
	return files
}
