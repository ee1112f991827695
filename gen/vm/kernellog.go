// SPDX-License-Identifier: Apache-2.0

package vm

import "strings"

// complaints are the beginnings of the kernel's worse messages; those that
// are only slow machines are notes.
var complaints = []struct {
	text string
	note bool
}{
	{"Oops", false}, {"Internal error: ", false}, {"BUG: soft lockup", true}, {"watchdog: BUG: soft lockup", true},
	{"BUG: workqueue lockup", true}, {"BUG: ", false}, {"kernel BUG at ", false}, {"general protection fault", false},
	{"Unable to handle kernel ", false}, {"int3: ", false}, {"rcu: INFO: ", true}, {"INFO: task ", true},
	{"Initramfs unpacking failed", false},
}

// kernel looks for complaints in a line of the kernel's log.
func (c *console) kernel(line string) {
	text, ok := printk(line)
	if !ok {
		return
	}
	if cause, ok := strings.CutPrefix(text, "Kernel panic - not syncing: "); ok && c.panicked == "" {
		c.panicked = cause
		return
	}
	for _, complaint := range complaints {
		if !strings.HasPrefix(text, complaint.text) {
			continue
		}
		if complaint.note {
			c.notes = append(c.notes, text)
		} else if c.oops == "" {
			c.oops = text
		}
		return
	}
}

// printk finds "[   12.345678] text" or "[   12.345678][  T1] text" in a line,
// which may begin with something that the program printed, and returns the text.
func printk(line string) (text string, ok bool) {
	for {
		_, after, found := strings.Cut(line, "[")
		if !found {
			return "", false
		}
		line = after
		stamp, text, found := strings.Cut(after, "] ")
		if !found {
			return "", false
		}
		stamp, _, _ = strings.Cut(stamp, "]")
		seconds, micros, found := strings.Cut(strings.TrimLeft(stamp, " "), ".")
		if found && len(micros) == 6 && isDigits(seconds) && isDigits(micros) {
			return text, true
		}
	}
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
