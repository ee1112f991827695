// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

// serveNetns puts the files of network namespaces into c: those named, which
// is where `ip netns` keeps them, or the agent's own.
func (k *Kernel) serveNetns(c *choice) error {
	if err := k.Programs(ebpf.SkLookup); err != nil {
		return err
	}
	files := []string{"/proc/self/ns/net"}
	if len(c.on) > 0 {
		files = nil
	}
	for _, name := range c.on {
		if !filepath.IsAbs(name) {
			name = filepath.Join("/run/netns", name)
		}
		if _, err := os.Stat(name); err != nil {
			return fmt.Errorf("there is no network namespace %s", name)
		}
		files = append(files, name)
	}
	c.on = files
	return nil
}

func (c *choice) attachNetns(program *ebpf.Program, keep func(io.Closer)) error {
	for _, name := range c.on {
		file, err := os.Open(name)
		if err != nil {
			return err
		}
		attached, err := link.AttachNetNs(int(file.Fd()), program)
		file.Close()
		if err != nil {
			return fmt.Errorf("network namespace %s: %w", name, err)
		}
		keep(attached)
	}
	return nil
}
