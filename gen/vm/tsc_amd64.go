// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"fmt"
	"time"
)

// ticks is the processor's time stamp counter.
func ticks() uint64

// clockRate tells the guest's kernel how fast its time stamp counter runs,
// which is this machine's own (cpu_get_host_ticks of QEMU). Kernels measure it
// at boot, and when the machine is busy meanwhile their clock is wrong by as
// much as a factor of three.
func clockRate(guest string) []string {
	if guest != "amd64" {
		return nil
	}
	rate := 0.0 // ticks a ms: what interrupts a measurement makes it smaller
	for range 5 {
		began := time.Now()
		first := ticks()
		time.Sleep(10 * time.Millisecond)
		last := ticks()
		rate = max(rate, float64(last-first)/time.Since(began).Seconds()/1000)
	}
	return []string{fmt.Sprintf("tsc_early_khz=%.0f", rate)}
}
