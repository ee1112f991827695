// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	goruntime "runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// host is where the absolute figures come from.
type host struct {
	Date   string `json:"date"`
	CPU    string `json:"cpu"`
	CPUs   int    `json:"cpus"`
	Kernel string `json:"kernel"`
	Go     string `json:"go"`
	Load   string `json:"load"` // average over the last minute, when the run began
}

func (h host) String() string {
	return fmt.Sprintf("%s, %d x %s, Linux %s, %s, load %s", h.Date, h.CPUs, h.CPU, h.Kernel, h.Go, h.Load)
}

func describeHost() host {
	var name unix.Utsname
	_ = unix.Uname(&name)
	load, _, _ := strings.Cut(contents("/proc/loadavg"), " ")
	return host{
		Date:   time.Now().UTC().Format("2006-01-02 15:04 MST"),
		CPU:    valueOf(contents("/proc/cpuinfo"), "model name"),
		CPUs:   goruntime.NumCPU(),
		Kernel: unix.ByteSliceToString(name.Release[:]) + " " + unix.ByteSliceToString(name.Machine[:]),
		Go:     goruntime.Version(),
		Load:   load,
	}
}

// contents is what is in a file of /proc, or nothing.
func contents(file string) string {
	b, _ := os.ReadFile(file)
	return string(b)
}

// valueOf finds what follows "key:" in lines of such.
func valueOf(text, key string) string {
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == key {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}
