// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"bytes"
	"debug/elf"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/ulikunitz/xz"
)

// module is a kernel module, read and decompressed.
type module struct {
	name   string
	image  []byte
	params string
}

// moduleSet finds the modules of one kernel.
type moduleSet struct {
	files   map[string]string // name -> file
	builtin map[string]bool
}

// moduleName is the name of a module's file: the kernel writes - as _.
func moduleName(file string) string {
	name, _, _ := strings.Cut(filepath.Base(file), ".ko")
	return strings.ReplaceAll(name, "-", "_")
}

// readModuleSet lists the modules of a kernel's folder.
func readModuleSet(k Kernel) (*moduleSet, error) {
	set := &moduleSet{make(map[string]string), make(map[string]bool)}
	root := filepath.Join(k.Dir, "modules")
	builtin, err := os.ReadFile(filepath.Join(root, "modules.builtin"))
	if err != nil {
		return nil, fmt.Errorf("list modules of %s: %w", k, err)
	}
	for line := range strings.Lines(string(builtin)) {
		set.builtin[moduleName(strings.TrimSpace(line))] = true
	}
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.Contains(d.Name(), ".ko") {
			set.files[moduleName(path)] = path
		}
		return err
	})
	return set, err
}

// order reads the modules that are asked for, "name" or "name param=value",
// and those they depend on, each after its dependencies. What the kernel has
// built in is left out.
func (s *moduleSet) order(asked []string) ([]module, error) {
	var loads []module
	state := make(map[string]int) // 1: being visited, 2: done
	var visit func(name, params string) error
	visit = func(name, params string) error {
		if state[name] != 0 || s.builtin[name] {
			return nil
		}
		state[name] = 1
		file, ok := s.files[name]
		if !ok {
			return fmt.Errorf("the kernel has no module %s, nor is it built in", name)
		}
		image, err := readModule(file)
		if err != nil {
			return err
		}
		info, err := modinfo(image)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		for _, dep := range dependsOf(info) {
			if err := visit(dep, ""); err != nil {
				return fmt.Errorf("%s depends on %s: %w", name, dep, err)
			}
		}
		state[name] = 2
		loads = append(loads, module{name, image, params})
		return nil
	}
	for _, ask := range asked {
		name, params, _ := strings.Cut(strings.TrimSpace(ask), " ")
		if err := visit(moduleName(name), params); err != nil {
			return nil, err
		}
	}
	return loads, nil
}

// readModule reads a .ko or a .ko.xz.
func readModule(file string) ([]byte, error) {
	raw, err := os.ReadFile(file)
	if err != nil || !strings.HasSuffix(file, ".xz") {
		return raw, err
	}
	r, err := xz.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	image, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return image, nil
}

// modinfo is the content of a module's .modinfo section: key=value, each
// ended by a NUL (include/linux/moduleparam.h). A key can occur often.
func modinfo(image []byte) (map[string][]string, error) {
	f, err := elf.NewFile(bytes.NewReader(image))
	if err != nil {
		return nil, err
	}
	section := f.Section(".modinfo")
	if section == nil {
		return nil, fmt.Errorf("no section .modinfo")
	}
	data, err := section.Data()
	if err != nil {
		return nil, err
	}
	return parseModinfo(data), nil
}

func parseModinfo(data []byte) map[string][]string {
	info := make(map[string][]string)
	for pair := range strings.SplitSeq(string(data), "\x00") {
		if key, value, ok := strings.Cut(pair, "="); ok {
			info[key] = append(info[key], value)
		}
	}
	return info
}

// dependsOf are the names in depends=a,b.
func dependsOf(info map[string][]string) []string {
	var names []string
	for _, value := range info["depends"] {
		for name := range strings.SplitSeq(value, ",") {
			if name != "" {
				names = append(names, moduleName(name))
			}
		}
	}
	return names
}
