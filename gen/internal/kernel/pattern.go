// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"errors"
	"fmt"
	"path"

	"github.com/cilium/ebpf/btf"
)

// KprobeMulti reports why one link cannot be at many functions
// (kernel/trace/bpf_trace.c).
func (k *Kernel) KprobeMulti() error {
	if k.hasStruct("bpf_kprobe_multi_link") {
		return nil
	}
	return errors.New("no kprobe.multi (since 5.18, CONFIG_FPROBE)")
}

// UprobeMulti is KprobeMulti for places in programs.
func (k *Kernel) UprobeMulti() error {
	if k.hasStruct("bpf_uprobe_multi_link") {
		return nil
	}
	return errors.New("no uprobe.multi (since 6.6, CONFIG_UPROBES)")
}

// Matching reports why a probe with these parameters is at none of the
// functions that a pattern matches.
func (k *Kernel) Matching(pattern string, args []string) error {
	var last error
	for t, err := range k.types.All() {
		if err != nil {
			return err
		}
		fn, ok := t.(*btf.Func)
		if !ok {
			continue
		}
		if match, err := path.Match(pattern, fn.Name); err != nil || !match {
			continue
		}
		if last = k.Registers(fn.Name, args, false); last == nil {
			return nil
		}
	}
	if last != nil {
		return fmt.Errorf("no function that matches %s will do; the last: %w", pattern, last)
	}
	return fmt.Errorf("no function matches %s", pattern)
}
