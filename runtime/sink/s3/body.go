// SPDX-License-Identifier: Apache-2.0

package s3

import (
	"bytes"
	"compress/gzip"
	"fmt"

	"github.com/klauspost/compress/zstd"

	"github.com/redsift/ingraind/runtime"
)

// body makes the content of objects. What of returns is valid until it is
// called again.
type body struct {
	extension   string
	contentType string
	array       bool
	zstd        *zstd.Encoder // nil unless that is the compression
	gzip        *gzip.Writer  // the same
	packed      *bytes.Buffer
	rows        []byte
}

func newBody(s runtime.Settings) (body, error) {
	b := body{packed: &bytes.Buffer{}}
	switch s.Text("format") {
	case "ndjson":
		b.extension, b.contentType = ".ndjson", "application/x-ndjson"
	case "json":
		b.extension, b.contentType, b.array = ".json", "application/json", true
	default:
		return b, fmt.Errorf("format: %q is neither ndjson nor json", s.Text("format"))
	}
	// No Content-Encoding: clients would unpack what is called .gz. Readers go
	// by the extension.
	switch s.Text("compression") {
	case "zstd":
		var err error
		if b.zstd, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(128<<10)); err != nil {
			return b, err
		}
		b.extension, b.contentType = b.extension+".zst", "application/zstd"
	case "gzip":
		b.gzip = gzip.NewWriter(nil)
		b.extension, b.contentType = b.extension+".gz", "application/gzip"
	case "none":
	default:
		return b, fmt.Errorf("compression: %q is none of zstd, gzip, none", s.Text("compression"))
	}
	return b, nil
}

// of is the content for some lines.
func (b *body) of(lines []byte) ([]byte, error) {
	if b.array {
		lines = b.arrayOf(lines)
	}
	switch {
	case b.zstd != nil:
		b.rows = b.zstd.EncodeAll(lines, b.rows[:0])
		return b.rows, nil
	case b.gzip != nil:
		b.packed.Reset()
		b.gzip.Reset(b.packed)
		if _, err := b.gzip.Write(lines); err != nil {
			return nil, err
		}
		if err := b.gzip.Close(); err != nil {
			return nil, err
		}
		return b.packed.Bytes(), nil
	}
	return lines, nil
}

// arrayOf is the lines as an array. A line feed is in no JSON but between
// values.
func (b *body) arrayOf(lines []byte) []byte {
	array := make([]byte, 0, len(lines)+2)
	array = append(array, '[')
	for line := range bytes.Lines(lines) {
		if len(array) > 1 {
			array = append(array, ',', '\n')
		}
		array = append(array, bytes.TrimSuffix(line, []byte("\n"))...)
	}
	return append(array, ']', '\n')
}

func (b *body) close() error {
	if b.zstd == nil {
		return nil
	}
	return b.zstd.Close()
}
