// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"encoding/binary"
	"fmt"
	"io"
)

// recordingBuffer is how many bytes a RecordingWriter gathers before it writes.
const recordingBuffer = 64 << 10

// RecordingWriter writes a recording. It only ever appends, and it belongs to
// one goroutine.
type RecordingWriter struct {
	out     io.Writer
	buffer  []byte // whole frames
	pending uint64 // records in buffer
	offset  int64  // that of the last record
	started bool   // offset was written
	lost    uint64
	err     error // of the first write that went wrong: none follows it
}

// NewRecordingWriter starts a recording of these grains on out, and writes
// what describes them.
func NewRecordingWriter(out io.Writer, grains []RecordedGrain) (*RecordingWriter, error) {
	if len(grains) > maxGrains {
		return nil, fmt.Errorf("record: %d grains are more than %d", len(grains), maxGrains)
	}
	w := &RecordingWriter{out: out, buffer: make([]byte, 0, recordingBuffer+4096)}
	w.buffer = append(w.buffer, recordingMagic...)
	w.buffer = binary.LittleEndian.AppendUint16(w.buffer, recordingVersion)
	w.buffer = binary.LittleEndian.AppendUint16(w.buffer, uint16(len(grains)))
	for _, g := range grains {
		payload := appendGrain(nil, g)
		if len(payload) > maxGrainFrame {
			return nil, fmt.Errorf("record: the description of grain %s has %d bytes, more than %d", g.Name, len(payload), maxGrainFrame)
		}
		w.buffer = appendFrame(w.buffer, frameGrain, payload)
	}
	if err := w.Flush(); err != nil {
		return nil, err
	}
	return w, nil
}

// Append adds a raw record, head and body, and the offset that turns its time
// into wall-clock time. It copies raw, allocates nothing once its buffer has
// grown, and writes when 64 KiB are gathered; then it may block as the writer
// below does. After an error every record is lost, and counted.
func (w *RecordingWriter) Append(raw []byte, offset int64) error {
	if w.err != nil {
		w.lost++
		return w.err
	}
	if len(raw) > MaxRecordSize {
		w.lost++
		return fmt.Errorf("record: a record of %d bytes is longer than %d", len(raw), MaxRecordSize)
	}
	if !w.started || offset != w.offset {
		var payload [8]byte
		binary.LittleEndian.PutUint64(payload[:], uint64(offset))
		w.buffer = appendFrame(w.buffer, frameOffset, payload[:])
		w.started, w.offset = true, offset
	}
	w.buffer = appendFrame(w.buffer, frameRecord, raw)
	w.pending++
	if len(w.buffer) < recordingBuffer {
		return nil
	}
	return w.Flush()
}

// Flush writes what is gathered. Call it when there is nothing to append for
// a while, and at the end.
func (w *RecordingWriter) Flush() error {
	if w.err != nil || len(w.buffer) == 0 {
		return w.err
	}
	n, err := w.out.Write(w.buffer)
	if err == nil && n < len(w.buffer) {
		err = io.ErrShortWrite
	}
	if err != nil {
		w.err = fmt.Errorf("record: %w", err)
		w.lost += w.pending
	}
	w.buffer, w.pending = w.buffer[:0], 0
	return w.err
}

// Lost is how many records were given to Append and did not get into the
// recording. Of a write that went wrong half way all count as lost, though a
// reader may find the first of them.
func (w *RecordingWriter) Lost() uint64 { return w.lost }
