// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"bytes"
	"io"
	"strconv"
	"strings"
)

const (
	maxLine = 64 << 10 // console.limit of a run: a file's chunk is half as long
	maxLast = 100      // lines kept for an error
)

// console reads a guest's serial port: what the program prints goes to out,
// what init says and what the kernel complains about is kept. It trusts
// nothing: a guest can print what it likes.
type console struct {
	marker string
	out    io.Writer
	onLine func(verb string)             // called for each message of init
	back   func(verb, rest string) error // gets the messages about files that come back
	limit  int                           // a longer line is passed on in pieces; a message is shorter

	ready, exited bool
	exit          int
	failure       string   // why init gave up
	panicked      string   // the kernel's last words
	oops          string   // the kernel's first complaint
	notes         []string // warnings of the kernel, lock-ups and stalls

	line     []byte // not ended yet
	extended bool   // line may be twice as long
	last     []string
	err      error // of out or back
}

// Write takes bytes as they come. It fails only when out or back do.
func (c *console) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		end := bytes.IndexByte(rest, '\n')
		n := min(max(end, 0), c.room())
		if end < 0 {
			n = min(len(rest), c.room())
		}
		c.line = append(c.line, rest[:n]...)
		rest = rest[n:]
		switch {
		case n == end:
			c.flush("\n")
			rest = rest[1:]
		case c.room() == 0:
			c.overflow()
		}
	}
	return len(p), c.err
}

// room is how much the current line may still grow.
func (c *console) room() int {
	if c.extended {
		return 2*c.limit - len(c.line)
	}
	return c.limit - len(c.line)
}

// overflow makes room in a line that is too long. It passes the line on but
// for its end, where a marker may have begun; one that has a marker already
// may grow twice as long, since the program's words before it count too.
func (c *console) overflow() {
	if c.extended {
		c.flush("")
		return
	}
	if bytes.Contains(c.line, []byte(c.marker)) {
		c.extended = true
		return
	}
	cut := len(c.line) - len(c.marker)
	c.print(string(c.line[:cut]))
	c.line = append(c.line[:0], c.line[cut:]...)
}

// Close passes on a line that was not ended.
func (c *console) Close() error {
	if len(c.line) > 0 {
		c.flush("")
	}
	return c.err
}

// flush handles the collected line.
func (c *console) flush(end string) {
	text := string(c.line)
	c.line, c.extended = c.line[:0], false
	if end != "" {
		text = strings.TrimSuffix(text, "\r") // the kernel's own lines end in \r\n
	}
	before, message, ours := strings.Cut(text, c.marker+" ")
	if ours && c.marker != "" {
		if before != "" {
			c.print(before)
		}
		c.message(message)
		return
	}
	c.keep(text)
	c.kernel(text)
	c.print(text + end)
}

// print passes on what the program printed. What comes before the program is
// the boot, of interest only when it fails.
func (c *console) print(text string) {
	if !c.ready || c.exited {
		return
	}
	if _, err := io.WriteString(c.out, text); err != nil && c.err == nil {
		c.err = err
	}
}

// keep remembers the last lines.
func (c *console) keep(text string) {
	if len(c.last) == maxLast {
		c.last = append(c.last[:0], c.last[1:]...)
	}
	c.last = append(c.last, text)
}

// message handles a line of init.
func (c *console) message(text string) {
	verb, rest, _ := strings.Cut(text, " ")
	switch verb {
	case verbReady:
		c.ready = true
	case verbExit:
		code, err := strconv.Atoi(rest)
		if err != nil || c.exited {
			return
		}
		c.exit, c.exited = code, true
	case verbFail:
		c.failure = rest
	case verbNote:
		c.notes = append(c.notes, rest)
	case verbFile, verbData, verbEnd, verbNone:
		if c.back == nil {
			return
		}
		if err := c.back(verb, rest); err != nil && c.err == nil {
			c.err = err
		}
	}
	if c.onLine != nil {
		c.onLine(verb)
	}
}
