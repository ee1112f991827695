// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"errors"
	"os"
	"strings"

	"github.com/cilium/ebpf"
)

// explain puts an error of loading or attaching into a line for a user. The
// library's own text is misleading in one case, a permission that has nothing
// to do with memory, and long in another, the verifier's log.
func explain(err error) string {
	if r := (rejected{}); errors.As(err, &r) {
		return r.text
	}
	var verifier *ebpf.VerifierError
	if errors.As(err, &verifier) && len(verifier.Log) > 0 {
		return "the verifier refuses it: " + strings.Join(lastLines(verifier.Log, 3), ": ")
	}
	if errors.Is(err, os.ErrPermission) {
		return "operation not permitted (for want of a capability, by lockdown or a security module, or before Linux 5.11 by the limit of locked memory)"
	}
	return strings.Join(strings.Fields(err.Error()), " ")
}

// lastLines are the last count lines of a verifier's log that say something.
func lastLines(log []string, count int) []string {
	var last []string
	for i := len(log) - 1; i >= 0 && len(last) < count; i-- {
		line := strings.TrimSpace(log[i])
		if line == "" || strings.HasPrefix(line, "processed ") {
			continue
		}
		last = append([]string{line}, last...)
	}
	return last
}
