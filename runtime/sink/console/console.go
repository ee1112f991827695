// SPDX-License-Identifier: Apache-2.0

// Package console is the sink that prints rows on standard output: aligned
// lines for people on a terminal, a JSON object a line for programs.
package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/redsift/ingraind/runtime"
)

// ErrClosed is what Ship returns, as a Permanent error, when nobody reads the
// output any more. It is runtime.ErrClosed, by which an agent knows it.
var ErrClosed = runtime.ErrClosed

// Part is the sink "console".
func Part() runtime.Part {
	return runtime.Part{
		Name: "console",
		Help: "Prints rows on standard output.",
		Settings: []runtime.Setting{
			{Name: "format", Default: "auto", Help: "text, json (one object a line), or auto: text on a terminal, else json."},
		},
		Open: func(s runtime.Settings) (runtime.Sink, error) {
			// A copy, because Go ends a program that writes to a broken pipe
			// under the numbers 1 and 2.
			fd, err := unix.FcntlInt(1, unix.F_DUPFD_CLOEXEC, 3)
			if err != nil {
				return nil, fmt.Errorf("standard output: %w", err)
			}
			f := os.NewFile(uintptr(fd), "standard output")
			_, err = unix.IoctlGetTermios(fd, unix.TCGETS)
			sink, err := Open(f, err == nil, s)
			if err != nil {
				return nil, errors.Join(err, f.Close())
			}
			return sink, nil
		},
	}
}

// Open is a console that writes to w, and closes it if it can be closed.
// Colours are for terminals, where the environment does not hold NO_COLOR
// (no-color.org).
func Open(w io.Writer, isTerminal bool, s runtime.Settings) (runtime.Sink, error) {
	format := s.Text("format")
	if format == "auto" || format == "" {
		format = "json"
		if isTerminal {
			format = "text"
		}
	}
	c := &console{w: w, terminal: isTerminal}
	switch format {
	case "json":
		c.encoding = runtime.NDJSON{}
	case "text":
		c.encoding = newText(time.Local, isTerminal && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb")
	default:
		return nil, fmt.Errorf("format: %q is none of auto, text, json", format)
	}
	return c, nil
}

type console struct {
	w        io.Writer
	terminal bool
	encoding runtime.Encoding
	written  int // bytes of the batch that the last Ship could not write whole
}

// Encoding is text or NDJSON, as the format says.
func (c *console) Encoding() runtime.Encoding { return c.encoding }

// Age is how late a row may be printed while more arrive.
func (c *console) Age() time.Duration { return 100 * time.Millisecond }

// Ship prints b by one write. After an error, the same batch shipped again
// goes on where that one stopped.
func (c *console) Ship(_ context.Context, b *runtime.Batch) error {
	for c.written < len(b.Bytes) {
		n, err := c.w.Write(b.Bytes[c.written:])
		c.written += n
		if errors.Is(err, unix.EPIPE) || c.terminal && errors.Is(err, unix.EIO) {
			return runtime.Permanent(ErrClosed)
		}
		if err != nil {
			return err
		}
		if n == 0 {
			return io.ErrShortWrite
		}
	}
	c.written = 0
	return nil
}

// Close closes the output.
func (c *console) Close() error {
	if closer, ok := c.w.(io.Closer); ok {
		return closer.Close()
	}
	return nil
}
