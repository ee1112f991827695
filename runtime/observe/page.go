// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"bytes"
	"fmt"
	"os"
	goruntime "runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// page is metrics as text.
type page struct {
	text []byte
	name string // of the family that values belong to
}

// family begins a metric.
func (p *page) family(name, kind, help string) {
	p.name = name
	p.text = fmt.Appendf(p.text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

var escaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// value appends a series of the family; labels are names and values in turn.
func (p *page) value(v float64, labels ...string) {
	p.text = append(p.text, p.name...)
	for i := 0; i+1 < len(labels); i += 2 {
		open := ","
		if i == 0 {
			open = "{"
		}
		p.text = append(append(append(p.text, open...), labels[i]...), `="`...)
		p.text = append(append(p.text, escaper.Replace(labels[i+1])...), '"')
	}
	if len(labels) > 0 {
		p.text = append(p.text, '}')
	}
	p.text = append(p.text, ' ')
	p.text = append(strconv.AppendFloat(p.text, v, 'g', -1, 64), '\n')
}

// process appends what any program has, under the names that are usual.
func (p *page) process() {
	var used unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &used) == nil {
		p.family("process_cpu_seconds_total", counter, "CPU time of the agent, without that of its programs in the kernel.")
		p.value(float64(used.Utime.Nano()+used.Stime.Nano()) / 1e9)
	}
	if pages, ok := residentPages(); ok {
		p.family("process_resident_memory_bytes", gauge, "Memory of the agent.")
		p.value(float64(pages * os.Getpagesize()))
	}
	p.family("go_goroutines", gauge, "Goroutines of the agent.")
	p.value(float64(goruntime.NumGoroutine()))
}

// residentPages is the second number of /proc/self/statm (proc_pid_statm(5)).
func residentPages() (int, bool) {
	text, err := os.ReadFile("/proc/self/statm")
	fields := bytes.Fields(text)
	if err != nil || len(fields) < 2 {
		return 0, false
	}
	n, err := strconv.Atoi(string(fields[1]))
	return n, err == nil
}
