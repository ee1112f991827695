// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/cilium/ebpf/btf"
)

// Open reads the kernel in a file: raw BTF, an ELF file with a section .BTF
// such as vmlinux, or an image such as /boot/vmlinuz. Of a folder and those
// below it, it reads each file that is one, and passes over what is not.
func Open(path string) ([]*Kernel, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		k, err := read(path, path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		return []*Kernel{k}, nil
	}
	var kernels []*Kernel
	err = filepath.WalkDir(path, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() {
			return nil
		}
		name, err := filepath.Rel(path, file)
		if err != nil {
			return err
		}
		if k, err := read(file, name); err == nil {
			kernels = append(kernels, k)
		}
		return nil
	})
	if err == nil && len(kernels) == 0 {
		err = fmt.Errorf("%s: no file in it is a kernel's BTF", path)
	}
	return kernels, err
}

func read(file, name string) (*Kernel, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	types, err := btf.LoadSpecFromReader(f)
	if err != nil {
		image, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if types, err = fromImage(image); err != nil {
			return nil, err
		}
	}
	return New(name, types)
}
