// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// unpack takes out of a Debian package what a kernel's folder holds. dpkg-deb
// does the unpacking: archive/tar would link the C library into vmtest, which
// as a guest's init has none.
func unpack(ctx context.Context, deb, dir string) error {
	all := deb + ".unpacked"
	defer os.RemoveAll(all)
	if _, err := output(command(ctx, nil, "dpkg-deb", "-x", deb, all)); err != nil {
		return err
	}
	return filepath.WalkDir(all, func(file string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		below, err := filepath.Rel(all, file)
		if err != nil {
			return err
		}
		name := placeOf(filepath.ToSlash(below))
		if name == "" {
			return nil
		}
		to := filepath.Join(dir, filepath.FromSlash(name))
		return errors.Join(os.MkdirAll(filepath.Dir(to), 0o755), os.Rename(file, to))
	})
}

// placeOf says where in a kernel's folder a file of a package goes; "" is
// nowhere. Up to 6.18 the image lies in /boot, later beside the modules.
func placeOf(name string) string {
	name = strings.TrimPrefix(path.Clean("/"+name), "/")
	if file, ok := strings.CutPrefix(name, "boot/"); ok {
		for _, kind := range []string{"vmlinuz", "config"} {
			if strings.HasPrefix(file, kind+"-") {
				return kind
			}
		}
		return ""
	}
	name = strings.TrimPrefix(name, "usr/")
	name, ok := strings.CutPrefix(name, "lib/modules/")
	if !ok {
		return ""
	}
	_, name, _ = strings.Cut(name, "/") // the version
	switch {
	case name == "vmlinuz", name == "config":
		return name
	case name == "modules.builtin", strings.HasPrefix(name, "kernel/") && useful(name):
		return "modules/" + name
	}
	return ""
}

// drivers are the folders of drivers that make sense without hardware.
var drivers = []string{"block/", "char/", "md/", "net/", "scsi/", "vhost/", "virtio/"}

// useful tells whether a guest without hardware may want a module: all but
// most drivers, which are half of the bytes.
func useful(module string) bool {
	driver, ok := strings.CutPrefix(module, "kernel/drivers/")
	if !ok {
		return true
	}
	if strings.HasPrefix(driver, "net/ethernet/") {
		return false
	}
	for _, dir := range drivers {
		if strings.HasPrefix(driver, dir) {
			return true
		}
	}
	return false
}
