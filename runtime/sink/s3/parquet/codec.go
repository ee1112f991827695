// SPDX-License-Identifier: Apache-2.0

package parquet

import (
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"

	"github.com/redsift/ingraind/runtime/sink/s3"
)

// codecOf is what compresses the pages of one file.
func codecOf(c s3.Compression) (compress.Codec, error) {
	switch c {
	case s3.Gzip:
		return &parquet.Gzip, nil
	case s3.None:
		return &parquet.Uncompressed, nil
	}
	// The library's own looks back 8 MiB, and has the memory for it; pages are
	// much smaller.
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(256<<10), zstd.WithEncoderCRC(false))
	return &zstdCodec{&parquet.Zstd, encoder}, err
}

type zstdCodec struct {
	compress.Codec
	encoder *zstd.Encoder
}

// Encode compresses a page.
func (c *zstdCodec) Encode(dst, src []byte) ([]byte, error) {
	return c.encoder.EncodeAll(src, dst[:0]), nil
}
