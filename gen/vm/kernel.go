// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// A Kernel is a folder called NAME-ARCH that holds
//
//	vmlinuz   what boots
//	config    what it was built with
//	modules/  modules.builtin and kernel/**.ko or .ko.xz, as packaged
//	version   one line: the Debian package and its version
type Kernel struct {
	Name    string // as in Names: "6.12"
	Arch    string // "amd64" or "arm64"
	Dir     string
	Version string // "linux-image-6.12.117+deb13-cloud-amd64 6.12.117-1"
}

// kernelDir is the folder of a kernel below dir.
func kernelDir(dir, name, arch string) string { return filepath.Join(dir, name+"-"+arch) }

// Open reads the folder of a kernel that Fetch left there. A relative dir
// that is not there is also looked for in the folders above the current one,
// because go test runs each package's test in the package's own folder.
func Open(dir string) (Kernel, error) {
	found, err := findUp(dir)
	if err != nil {
		return Kernel{}, fmt.Errorf("open kernel %s: no such folder here or above; `vmtest fetch` gets it", dir)
	}
	name, arch, ok := cutLast(filepath.Base(found), "-")
	if !ok {
		return Kernel{}, fmt.Errorf("open kernel %s: the folder's name is not NAME-ARCH", dir)
	}
	if _, err := archOf(arch); err != nil {
		return Kernel{}, fmt.Errorf("open kernel %s: %w", dir, err)
	}
	version, err := os.ReadFile(filepath.Join(found, "version"))
	if err != nil {
		return Kernel{}, fmt.Errorf("open kernel: %w", err)
	}
	return Kernel{Name: name, Arch: arch, Dir: found, Version: strings.TrimSpace(string(version))}, nil
}

func (k Kernel) String() string { return k.Name + "-" + k.Arch }

// findUp returns the absolute path of a relative one, taken from the current
// folder or the nearest one above where it exists.
func findUp(path string) (string, error) {
	at, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		found := path
		if !filepath.IsAbs(path) {
			found = filepath.Join(at, path)
		}
		if _, err := os.Stat(found); err == nil {
			return found, nil
		}
		above := filepath.Dir(at)
		if above == at || filepath.IsAbs(path) {
			return "", os.ErrNotExist
		}
		at = above
	}
}

// cutLast slices s around the last sep.
func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}
