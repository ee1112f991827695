// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// image collects the files of a guest and writes them as an initramfs.
type image struct {
	arch  arch
	nodes map[string]node // by their path in the guest, without the leading slash
}

// node is one file of an image: a file of the host, bytes, a link or a folder.
type node struct {
	mode         uint32
	host         string
	data         []byte // of a small file, or where a link points
	major, minor uint32
}

// merged are the folders that are links into /usr, as on Debian.
var merged = []string{"bin", "sbin", "lib", "lib64"}

// newImage is an image with what each guest has.
func newImage(a arch) *image {
	m := &image{arch: a, nodes: make(map[string]node)}
	for _, dir := range []string{"dev", "etc", "mnt", "proc", "root", "run", "sys", "tmp", "var/tmp"} {
		m.folder(dir)
	}
	for _, name := range merged {
		m.folder("usr/" + name)
		m.nodes[name] = node{mode: modeSymlink | 0o777, data: []byte("usr/" + name)}
	}
	m.nodes["tmp"] = node{mode: modeDir | 0o1777}
	m.nodes["dev/console"] = node{mode: modeChar | 0o600, major: 5, minor: 1}
	m.text("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n")
	m.text("etc/group", "root:x:0:\nnogroup:x:65534:\n")
	m.text("etc/hosts", "127.0.0.1 localhost vmtest\n::1 localhost\n")
	m.text("etc/hostname", "vmtest\n")
	return m
}

// clean is the path of a guest's file as a key of nodes.
func clean(guest string) string {
	name := strings.TrimPrefix(path.Clean("/"+guest), "/")
	first, rest, deep := strings.Cut(name, "/")
	if deep && slices.Contains(merged, first) {
		return "usr/" + first + "/" + rest
	}
	return name
}

// put adds a node and the folders above it.
func (m *image) put(guest string, n node) {
	name := clean(guest)
	m.folder(path.Dir(name))
	m.nodes[name] = n
}

// folder adds a folder and those above it.
func (m *image) folder(guest string) {
	name := clean(guest)
	if _, ok := m.nodes[name]; name == "." || name == "" || ok {
		return
	}
	m.folder(path.Dir(name))
	m.nodes[name] = node{mode: modeDir | 0o755}
}

// text adds a small file.
func (m *image) text(guest, content string) {
	m.put(guest, node{mode: modeFile | 0o644, data: []byte(content)})
}

// copy adds a file of the host, and the libraries that it needs to run; or a
// folder with all that is in it. A link at host itself is followed.
func (m *image) copy(host, guest string) error {
	info, err := os.Stat(host)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return m.copyFile(host, guest, info)
	}
	m.folder(guest)
	return filepath.WalkDir(host, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		below, err := filepath.Rel(host, name)
		if err != nil {
			return err
		}
		to := path.Join(guest, filepath.ToSlash(below))
		switch d.Type() {
		case fs.ModeDir:
			m.folder(to)
			return nil
		case fs.ModeSymlink:
			target, err := os.Readlink(name)
			m.put(to, node{mode: modeSymlink | 0o777, data: []byte(target)})
			return err
		case 0:
			info, err := d.Info()
			if err != nil {
				return err
			}
			m.put(to, node{mode: modeFile | uint32(info.Mode().Perm()), host: name})
		}
		return nil
	})
}

func (m *image) copyFile(host, guest string, info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is neither a file nor a folder", host)
	}
	m.put(guest, node{mode: modeFile | uint32(info.Mode().Perm()), host: host})
	libs, err := libraries(host, m.arch)
	if err != nil {
		return err
	}
	for to, from := range libs {
		m.put(to, node{mode: modeFile | 0o755, host: from})
	}
	return nil
}

// finish adds init, the modules and the job.
func (m *image) finish(init string, modules []module, j job) error {
	for i, mod := range modules {
		file := fmt.Sprintf("%s/%02d-%s.ko", guestDir, i, mod.name)
		m.put(file, node{mode: modeFile | 0o644, data: mod.image})
		j.Modules = append(j.Modules, moduleLoad{file, mod.params})
	}
	text, err := json.Marshal(j)
	if err != nil {
		return err
	}
	m.text(jobFile, string(text))
	m.put("/init", node{mode: modeFile | 0o755, host: init})
	return nil
}

// write writes the archive and returns its size. Folders come before what is
// in them, because their names sort first.
func (m *image) write(w io.Writer) (int64, error) {
	counted := &counter{w: w}
	archive := newCPIO(counted)
	names := make([]string, 0, len(m.nodes))
	for name := range m.nodes {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if err := m.nodes[name].write(archive, name); err != nil {
			return 0, err
		}
	}
	err := archive.Close()
	return counted.n, err
}

func (n node) write(archive *cpioWriter, name string) error {
	e := entry{name: name, mode: n.mode, size: int64(len(n.data)), major: n.major, minor: n.minor}
	if n.host == "" {
		archive.Add(e, bytes.NewReader(n.data))
		return nil
	}
	f, err := os.Open(n.host)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	e.size = info.Size()
	archive.Add(e, f)
	return nil
}

// counter counts what is written.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
