// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

// cgroupPoint is a point where programs of a cgroup run, and of all cgroups
// below it.
type cgroupPoint struct {
	program ebpf.ProgramType
	attach  ebpf.AttachType
}

var cgroupPoints = map[string]cgroupPoint{
	"cgroup_skb/ingress": {ebpf.CGroupSKB, ebpf.AttachCGroupInetIngress},
	"cgroup_skb/egress":  {ebpf.CGroupSKB, ebpf.AttachCGroupInetEgress},
	"cgroup/connect4":    {ebpf.CGroupSockAddr, ebpf.AttachCGroupInet4Connect},
	"cgroup/connect6":    {ebpf.CGroupSockAddr, ebpf.AttachCGroupInet6Connect},
	"cgroup/sendmsg4":    {ebpf.CGroupSockAddr, ebpf.AttachCGroupUDP4Sendmsg},
	"cgroup/sendmsg6":    {ebpf.CGroupSockAddr, ebpf.AttachCGroupUDP6Sendmsg},
	"cgroup/recvmsg4":    {ebpf.CGroupSockAddr, ebpf.AttachCGroupUDP4Recvmsg},
	"cgroup/recvmsg6":    {ebpf.CGroupSockAddr, ebpf.AttachCGroupUDP6Recvmsg},
	"cgroup/sock_create": {ebpf.CGroupSock, ebpf.AttachCGroupInetSockCreate},
	"sockops":            {ebpf.SockOps, ebpf.AttachCGroupSockOps},
}

// serveCgroup puts the folders of the cgroups into c.
func (k *Kernel) serveCgroup(c *choice) error {
	if err := k.Programs(cgroupPoints[c.Target].program); err != nil {
		return err
	}
	root, err := cgroupRoot()
	if err != nil {
		return err
	}
	if len(c.on) == 0 {
		c.on = []string{"/"}
	}
	var folders []string
	for _, name := range c.on {
		folder := filepath.Join(root, name)
		if info, err := os.Stat(folder); err != nil || !info.IsDir() {
			return fmt.Errorf("there is no cgroup %s below %s", name, root)
		}
		folders = append(folders, folder)
	}
	c.on = folders
	return nil
}

// cgroupRoot is where the cgroups of version 2 are mounted.
func cgroupRoot() (string, error) {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return "", err
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		mount, system, _ := strings.Cut(lines.Text(), " - ")
		if field := strings.Fields(mount); len(field) > 4 && strings.HasPrefix(system, "cgroup2 ") {
			return field[4], nil
		}
	}
	return "", errors.New("no cgroups of version 2 are mounted")
}

func (c *choice) attachCgroups(program *ebpf.Program, keep func(io.Closer)) error {
	for _, folder := range c.on {
		attached, err := link.AttachCgroup(link.CgroupOptions{Path: folder, Attach: cgroupPoints[c.Target].attach, Program: program})
		if err != nil {
			return fmt.Errorf("cgroup %s: %w", folder, err)
		}
		keep(attached)
	}
	return nil
}
