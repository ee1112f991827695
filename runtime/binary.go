// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strings"

	"github.com/redsift/ingraind/runtime/internal/executable"
)

// splitUserTarget takes "BINARY:SYMBOL" apart.
func splitUserTarget(target string) (binary, symbol string, err error) {
	i := strings.LastIndexByte(target, ':')
	if i < 1 || i == len(target)-1 {
		return "", "", fmt.Errorf("%q is not BINARY:SYMBOL", target)
	}
	return target[:i], target[i+1:], nil
}

// findBinary is the file that a user program's target names: a path, or a
// library such as "libssl.so.3", or "libssl" for whichever version there is.
func findBinary(name string) (string, error) {
	if filepath.IsAbs(name) {
		_, err := os.Stat(name)
		return name, err
	}
	if strings.ContainsRune(name, '/') {
		return "", fmt.Errorf("%s is neither an absolute path nor the name of a library", name)
	}
	cache, err := os.ReadFile("/etc/ld.so.cache")
	if err == nil {
		for _, file := range cachedLibraries(cache) {
			if isLibrary(file, name) && isOurs(file) {
				return file, nil
			}
		}
	}
	for _, pattern := range []string{"/lib/*/", "/usr/lib/*/", "/lib64/", "/usr/lib64/", "/lib/", "/usr/lib/", "/usr/local/lib/"} {
		files, _ := filepath.Glob(pattern + name + "*") // the pattern is well-formed
		for _, file := range files {
			if isLibrary(file, name) && isOurs(file) {
				return file, nil
			}
		}
	}
	return "", fmt.Errorf("no library %s on this machine", name)
}

// isLibrary reports whether file is the library that name means.
func isLibrary(file, name string) bool {
	base := filepath.Base(file)
	return base == name || strings.HasPrefix(base, name+".so")
}

// isOurs reports whether file is a program or library for this machine.
func isOurs(file string) bool {
	f, content, err := executable.Open(file)
	if err != nil {
		return false
	}
	defer content.Close()
	return f.Machine == machine()
}

// machine is what ELF files for this one say.
func machine() elf.Machine {
	if goruntime.GOARCH == "arm64" {
		return elf.EM_AARCH64
	}
	return elf.EM_X86_64
}

// cachedLibraries lists the files in ld.so.cache, in the format that glibc
// writes since 2.2 (elf/cache.c, sysdeps/generic/dl-cache.h): a header of 48
// bytes, then entries of 24 whose third word is where the file's name is,
// counted from the header.
func cachedLibraries(cache []byte) []string {
	const header, entry = 48, 24
	start := bytes.Index(cache, []byte("glibc-ld.so.cache1.1"))
	if start < 0 || len(cache) < start+header {
		return nil
	}
	cache = cache[start:]
	var files []string
	for i := range int(binary.NativeEndian.Uint32(cache[20:])) {
		at := header + i*entry
		if at+entry > len(cache) {
			break
		}
		name := int(binary.NativeEndian.Uint32(cache[at+8:]))
		if name >= len(cache) {
			continue
		}
		file, _, _ := bytes.Cut(cache[name:], []byte{0})
		files = append(files, string(file))
	}
	return files
}
