// SPDX-License-Identifier: Apache-2.0

package s3

import (
	"bytes"
	"compress/gzip"

	"github.com/klauspost/compress/zstd"
)

// body makes the content of objects. What of returns is valid until it is
// called again.
type body struct {
	Format
	packing Packing
	zstd    *zstd.Encoder // nil unless that is the compression of what Content made
	gzip    *gzip.Writer  // the same
	packed  *bytes.Buffer
	frame   []byte
}

func newBody(f Format, p Packing) (body, error) {
	b := body{Format: f, packing: p, packed: &bytes.Buffer{}}
	if f.Compresses {
		return b, nil
	}
	// No Content-Encoding: clients would unpack what is called .gz. Readers go
	// by the extension.
	switch p.Compression {
	case Zstd:
		var err error
		if b.zstd, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(128<<10)); err != nil {
			return b, err
		}
		b.Extension, b.ContentType = b.Extension+".zst", "application/zstd"
	case Gzip:
		b.gzip = gzip.NewWriter(nil)
		b.Extension, b.ContentType = b.Extension+".gz", "application/gzip"
	}
	return b, nil
}

// of is the content for the rows of a batch.
func (b *body) of(rows []byte) ([]byte, error) {
	content, err := b.Content(rows, b.packing)
	switch {
	case err != nil:
		return nil, err
	case b.zstd != nil:
		b.frame = b.zstd.EncodeAll(content, b.frame[:0])
		return b.frame, nil
	case b.gzip != nil:
		b.packed.Reset()
		b.gzip.Reset(b.packed)
		if _, err := b.gzip.Write(content); err != nil {
			return nil, err
		}
		if err := b.gzip.Close(); err != nil {
			return nil, err
		}
		return b.packed.Bytes(), nil
	}
	return content, nil
}

func (b *body) close() error {
	if b.zstd == nil {
		return nil
	}
	return b.zstd.Close()
}
