// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// isELF tells whether a file is a program or a library.
func isELF(path string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	magic := make([]byte, len(elf.ELFMAG))
	if _, err := io.ReadFull(f, magic); err != nil {
		return false, nil // shorter than a magic number
	}
	return string(magic) == elf.ELFMAG, nil
}

// libraries finds what a dynamic program needs to start: its interpreter and
// its DT_NEEDED libraries, theirs included. The result maps the path in the
// guest to the host's file. A file that is not ELF, or static, needs nothing.
func libraries(program string, a arch) (map[string]string, error) {
	found := make(map[string]string)
	queue := []string{program}
	for len(queue) > 0 {
		path := queue[0]
		queue = queue[1:]
		needs, err := neededBy(path, a)
		if err != nil {
			return nil, err
		}
		for guest, host := range needs {
			if _, ok := found[guest]; !ok {
				found[guest] = host
				queue = append(queue, host)
			}
		}
	}
	return found, nil
}

// neededBy is one step of libraries.
func neededBy(path string, a arch) (map[string]string, error) {
	if ok, err := isELF(path); err != nil || !ok {
		return nil, err
	}
	f, err := elf.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	defer f.Close()
	if f.Machine != a.machine {
		return nil, fmt.Errorf("%s is for %v, the guest is %s; build it with GOARCH=%s", path, f.Machine, a.name, a.name)
	}
	needs := make(map[string]string)
	if interp := interpreter(f); interp != "" {
		needs[interp] = interp
	}
	names, err := f.DynString(elf.DT_NEEDED)
	if err != nil && !errors.Is(err, elf.ErrNoSymbols) {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	search := runpaths(f, path)
	for _, name := range names {
		guest, host := findLibrary(name, search, a)
		if host == "" {
			return nil, fmt.Errorf("%s needs the library %s, which is not on this machine", path, name)
		}
		needs[guest] = host
	}
	return needs, nil
}

// interpreter is the dynamic linker that a program asks for, or "".
func interpreter(f *elf.File) string {
	for _, p := range f.Progs {
		if p.Type != elf.PT_INTERP {
			continue
		}
		name, err := io.ReadAll(io.LimitReader(p.Open(), 4096))
		if err != nil {
			return ""
		}
		return strings.TrimRight(string(name), "\x00")
	}
	return ""
}

// runpaths are the folders that a program itself names.
func runpaths(f *elf.File, path string) []string {
	var dirs []string
	for _, tag := range []elf.DynTag{elf.DT_RPATH, elf.DT_RUNPATH} {
		values, err := f.DynString(tag)
		if err != nil {
			continue
		}
		for _, value := range values {
			for dir := range strings.SplitSeq(value, ":") {
				origin := filepath.Dir(path)
				dirs = append(dirs, strings.NewReplacer("$ORIGIN", origin, "${ORIGIN}", origin).Replace(dir))
			}
		}
	}
	return dirs
}

// findLibrary looks for a library as ld.so does. What ld.so.conf names is put
// into a default folder of the guest, which has no ld.so.conf.
func findLibrary(name string, search []string, a arch) (guest, host string) {
	defaults := []string{"/lib/" + a.triplet, "/usr/lib/" + a.triplet, "/lib", "/usr/lib", "/lib64", "/usr/lib64"}
	for _, dir := range append(search, defaults...) {
		file := filepath.Join(dir, name)
		if _, err := os.Stat(file); err == nil {
			return file, file
		}
	}
	for _, dir := range configured() {
		file := filepath.Join(dir, name)
		if _, err := os.Stat(file); err == nil {
			return filepath.Join("/lib", a.triplet, name), file
		}
	}
	return "", ""
}

// configured are the folders of /etc/ld.so.conf.d.
func configured() []string {
	var dirs []string
	files, _ := filepath.Glob("/etc/ld.so.conf.d/*.conf")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(text)) {
			if line = strings.TrimSpace(line); strings.HasPrefix(line, "/") {
				dirs = append(dirs, line)
			}
		}
	}
	return dirs
}
