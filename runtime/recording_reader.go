// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
)

// TornError says where a recording stops making sense: it ends inside of a
// frame, as after a crash, or is damaged. All records before are whole. It
// stands for one record, the last, which cannot be decoded; those after it,
// if any, cannot be counted.
type TornError struct {
	At     int64 // bytes from the start of the recording to the frame
	Reason string
}

func (e *TornError) Error() string {
	return fmt.Sprintf("recording is torn at byte %d: %s", e.At, e.Reason)
}

// RecordingReader reads a recording as a stream, in bounded memory whatever
// the bytes are. It belongs to one goroutine.
type RecordingReader struct {
	in     *bufio.Reader
	at     int64 // bytes consumed
	grains []RecordedGrain
	offset int64
	head   [frameHeadSize]byte // of the frame being read
	buffer []byte
	places [][]place // by the heads' Grain and Event; nil before Map
	done   error     // what Next returns for good
}

// NewRecordingReader reads what describes the recorded grains.
func NewRecordingReader(in io.Reader) (*RecordingReader, error) {
	r := &RecordingReader{in: bufio.NewReaderSize(in, recordingBuffer)}
	var start [recordingStart]byte
	n, err := io.ReadFull(r.in, start[:])
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, fmt.Errorf("read recording: %w", err)
	}
	if string(start[:len(recordingMagic)]) != recordingMagic {
		return nil, errors.New("this is no recording: it does not start with INGRAIN")
	}
	if n < recordingStart {
		return nil, &TornError{At: 0, Reason: "it ends before all grains are described"}
	}
	version := binary.LittleEndian.Uint16(start[len(recordingMagic):])
	if version != recordingVersion {
		return nil, fmt.Errorf("the recording has version %d, and this agent reads version %d", version, recordingVersion)
	}
	r.at = int64(recordingStart)
	for range binary.LittleEndian.Uint16(start[len(recordingMagic)+2:]) {
		at := r.at
		kind, payload, err := r.frame()
		if err == io.EOF {
			return nil, &TornError{At: at, Reason: "it ends before all grains are described"}
		}
		if err != nil {
			return nil, err
		}
		if kind != frameGrain {
			return nil, &TornError{At: at, Reason: fmt.Sprintf("a frame of kind %d is no description of a grain", kind)}
		}
		g, err := parseGrain(payload)
		if err != nil {
			return nil, &TornError{At: at, Reason: err.Error()}
		}
		r.grains = append(r.grains, g)
	}
	return r, nil
}

// Grains is what the recording says of its grains.
func (r *RecordingReader) Grains() []RecordedGrain { return r.grains }

// Next returns the next raw record, which is valid until the next call, and
// the offset that turns its time into wall-clock time. After the last one it
// returns io.EOF; where the recording is torn it returns a *TornError once,
// and io.EOF from then on.
func (r *RecordingReader) Next() (raw []byte, offset int64, err error) {
	for r.done == nil {
		at := r.at
		kind, payload, err := r.frame()
		switch {
		case err != nil:
			r.done = io.EOF
			return nil, 0, err
		case kind == frameOffset && len(payload) == 8:
			r.offset = int64(binary.LittleEndian.Uint64(payload))
		case kind == frameRecord:
			r.place(payload)
			return payload, r.offset, nil
		default:
			r.done = io.EOF
			return nil, 0, &TornError{At: at, Reason: fmt.Sprintf("a frame of kind %d and %d bytes is out of place", kind, len(payload))}
		}
	}
	return nil, 0, r.done
}

// frame reads one frame. Its payload is valid until the next call.
func (r *RecordingReader) frame() (kind byte, payload []byte, err error) {
	at := r.at
	head, err := r.fill(r.head[:0], frameHeadSize)
	if len(head) == 0 && err == io.EOF {
		return 0, nil, io.EOF
	}
	if err != nil {
		return 0, nil, tornBy(err, at)
	}
	size := binary.LittleEndian.Uint32(head[4:])
	kind = head[8]
	if size > maxGrainFrame || kind != frameGrain && size > MaxRecordSize {
		return 0, nil, &TornError{At: at, Reason: fmt.Sprintf("%d bytes are too many for a frame", size)}
	}
	r.buffer, err = r.fill(r.buffer[:0], int(size))
	if err != nil {
		return 0, nil, tornBy(err, at)
	}
	sum := crc32.Update(crc32.Checksum(head[4:], castagnoli), castagnoli, r.buffer)
	if sum != binary.LittleEndian.Uint32(head[:]) {
		return 0, nil, &TornError{At: at, Reason: "the checksum of a frame does not fit"}
	}
	return kind, r.buffer, nil
}

// fill reads size bytes into dst. It makes room as they arrive, so that a
// size that lies costs no memory. It returns what it has, with the error.
func (r *RecordingReader) fill(dst []byte, size int) ([]byte, error) {
	for len(dst) < size {
		step := min(size-len(dst), recordingBuffer)
		dst = slices.Grow(dst, step)
		n, err := io.ReadFull(r.in, dst[len(dst):len(dst)+step])
		r.at += int64(n)
		dst = dst[:len(dst)+n]
		if err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// tornBy tells a file that ends early from one that cannot be read.
func tornBy(err error, at int64) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return &TornError{At: at, Reason: "it ends inside of a frame"}
	}
	return fmt.Errorf("read recording: %w", err)
}
