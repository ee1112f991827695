// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"time"
)

// prepare writes the initramfs.
func (r *run) prepare(ctx context.Context) error {
	init := r.Init
	if init == "" {
		var err error
		if init, err = findInit(ctx, r.arch, r.tmp, r.Self); err != nil {
			return err
		}
	}
	set, err := readModuleSet(r.Kernel)
	if err != nil {
		return err
	}
	modules, err := set.order(r.Modules)
	if err != nil {
		return fmt.Errorf("modules of %s: %w", r.Kernel, err)
	}
	m := newImage(r.arch)
	j, err := r.fill(m)
	if err != nil {
		return err
	}
	if err := m.finish(init, modules, j); err != nil {
		return err
	}
	r.initramfs = filepath.Join(r.tmp, "initramfs")
	f, err := os.OpenFile(r.initramfs, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	size, err := m.write(f)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write initramfs: %w", err)
	}
	r.MemoryMiB = r.memory(size)
	return nil
}

// fill puts the program and its files into the image and says what to do.
func (r *run) fill(m *image) (job, error) {
	program := path.Join(guestDir, "bin", filepath.Base(r.Program))
	m.folder(r.Dir)
	for _, dir := range folders(r.Args) {
		m.folder(in(r.Dir, dir))
	}
	if err := m.copy(in(r.Dir, r.Program), program); err != nil {
		return job{}, err
	}
	files := r.Files
	if testdata := filepath.Join(r.Dir, "testdata"); isDir(testdata) {
		files = append([]File{{testdata, testdata}}, files...)
	}
	for _, f := range files {
		if err := m.copy(in(r.Dir, f.Host), in(r.Dir, f.Guest)); err != nil {
			return job{}, err
		}
	}
	j := job{
		Marker: r.marker, Program: program, Args: append([]string{program}, r.Args...), Dir: r.Dir, Time: time.Now().Unix(),
		Env: append([]string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "TMPDIR=/tmp", "USER=root", "TERM=dumb"}, r.Env...),
	}
	for _, f := range r.Back {
		j.Back = append(j.Back, in(r.Dir, f.Guest))
		m.folder(path.Dir(in(r.Dir, f.Guest)))
	}
	return j, nil
}

func isDir(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}
