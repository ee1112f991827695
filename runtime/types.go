// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strings"

	"github.com/cilium/ebpf/btf"
)

// typesOf is what a file has of the kernel's types, or nil when the kernel has
// them itself.
func typesOf(cache *btf.Cache, path string) (*btf.Spec, error) {
	if _, err := cache.Kernel(); err == nil {
		return nil, nil
	} else if path == "" {
		return nil, fmt.Errorf("the kernel's types: %w (it was built without CONFIG_DEBUG_INFO_BTF: give -btf a file with the types of %s)", err, release())
	}
	file, err := typesFile(path)
	if err != nil {
		return nil, fmt.Errorf("-btf: %w", err)
	}
	given, err := btf.LoadSpec(file)
	if err != nil {
		return nil, fmt.Errorf("-btf: %s: %w", file, err)
	}
	if _, err := given.AnyTypeByName("task_struct"); err != nil {
		return nil, fmt.Errorf("-btf: %s: these are not the types of a kernel: %w", file, err)
	}
	return given, nil
}

// typesFile is path, or in a folder RELEASE.btf: directly, or below folders for
// distributions and architectures, as BTFHub has them.
func typesFile(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() {
		return path, err
	}
	want, arch := release()+".btf", map[string]string{"amd64": "x86_64", "arm64": "arm64"}[goruntime.GOARCH]
	var found, packed string
	err = filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
		switch parent := filepath.Base(filepath.Dir(name)); {
		case err != nil:
			return err
		case d.IsDir() || parent != arch && (parent == "x86_64" || parent == "arm64"):
		case d.Name() == want:
			found = name
			return fs.SkipAll
		case strings.HasPrefix(d.Name(), want+"."):
			packed = name
		}
		return nil
	})
	switch {
	case err != nil:
		return "", err
	case found == "" && packed != "":
		return "", fmt.Errorf("%s is packed: unpack it", packed)
	case found == "":
		return "", fmt.Errorf("there is no %s in %s or below", want, path)
	}
	return found, nil
}
