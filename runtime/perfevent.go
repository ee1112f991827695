// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"errors"
	"fmt"
	"io"
	"time"
	"unsafe"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// sampleEvery is how often each CPU is looked at, unless the grain says otherwise.
const sampleEvery = 10 * time.Millisecond

// perfEvents are the counters whose overflow runs a program, with what lacks
// where there is none.
var perfEvents = map[string]struct {
	kind   uint32
	config uint64
	lack   string
}{
	"perf_event/cpu-clock": {unix.PERF_TYPE_SOFTWARE, unix.PERF_COUNT_SW_CPU_CLOCK, "this kernel has no perf events (CONFIG_PERF_EVENTS)"},
	"perf_event/cycles":    {unix.PERF_TYPE_HARDWARE, unix.PERF_COUNT_HW_CPU_CYCLES, "this machine has no counter of cycles, as most virtual ones; perf_event/cpu-clock needs none"},
}

// servePerfEvent opens a counter to see whether there is one.
func (k *Kernel) servePerfEvent(c *choice) error {
	if err := k.Programs(ebpf.PerfEvent); err != nil {
		return err
	}
	fd, err := c.openPerfEvent(0)
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.ENOSYS):
		return errors.New(perfEvents[c.Target].lack)
	case err != nil:
		return fmt.Errorf("a perf event cannot be opened: %s", explain(err))
	}
	return unix.Close(fd)
}

// openPerfEvent opens the counter of a CPU. It counts whoever runs there.
func (c *choice) openPerfEvent(cpu int) (int, error) {
	every := c.every
	if every == 0 {
		every = sampleEvery
	}
	e := perfEvents[c.Target]
	attr := unix.PerfEventAttr{
		Type: e.kind, Config: e.config,
		Size:   uint32(unsafe.Sizeof(unix.PerfEventAttr{})),
		Sample: uint64(max(time.Second/every, 1)), // a frequency:
		Bits:   unix.PerfBitFreq | unix.PerfBitDisabled,
	}
	return unix.PerfEventOpen(&attr, -1, cpu, -1, unix.PERF_FLAG_FD_CLOEXEC)
}

// perfEvent is a counter at work.
type perfEvent int

func (e perfEvent) Close() error { return unix.Close(int(e)) }

// attachPerfEvent runs the program on each CPU that is there.
func (c *choice) attachPerfEvent(program *ebpf.Program, keep func(io.Closer)) error {
	cpus, err := ebpf.PossibleCPU()
	if err != nil {
		return err
	}
	attached := false
	for cpu := range cpus {
		fd, err := c.openPerfEvent(cpu)
		if errors.Is(err, unix.ENODEV) {
			continue // it is offline
		}
		if err != nil {
			return fmt.Errorf("open the perf event of CPU %d: %w", cpu, err)
		}
		keep(perfEvent(fd))
		if err := unix.IoctlSetInt(fd, unix.PERF_EVENT_IOC_SET_BPF, program.FD()); err != nil {
			return fmt.Errorf("set the program of a perf event: %w", err)
		}
		if err := unix.IoctlSetInt(fd, unix.PERF_EVENT_IOC_ENABLE, 0); err != nil {
			return fmt.Errorf("enable a perf event: %w", err)
		}
		attached = true
	}
	if !attached {
		return errors.New("no CPU has the perf event")
	}
	return nil
}
