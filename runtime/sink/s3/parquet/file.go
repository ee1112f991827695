// SPDX-License-Identifier: Apache-2.0

package parquet

import (
	"bytes"
	"fmt"

	"github.com/parquet-go/parquet-go"

	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/sink/s3"
)

// rowsAtOnce is how many rows are taken apart before they are written.
const rowsAtOnce = 1024

// content is the file of a batch's bytes.
func content(batch []byte, packing s3.Packing) ([]byte, error) {
	r := &reader{rest: batch}
	p, err := parsePlan(r.bytes(), packing.Foldered)
	if err != nil {
		return nil, runtime.Permanent(err)
	}
	codec, err := codecOf(packing.Compression)
	if err != nil {
		return nil, err
	}
	var file bytes.Buffer
	out := parquet.NewWriter(&file, p.file, parquet.Compression(codec), parquet.DataPageVersion(1), parquet.DictionaryMaxBytes(1<<20),
		parquet.CreatedBy("ingraind", "1", ""), parquet.KeyValueMetadata("ingraind", p.head))
	r.columns = make([][]parquet.Value, p.leaves)
	for len(r.rest) > 0 {
		for range rowsAtOnce {
			if len(r.rest) == 0 {
				break
			}
			r.row(p)
			if r.bad {
				return nil, runtime.Permanent(errDamaged)
			}
		}
		for i, column := range out.ColumnWriters() {
			if _, err := column.WriteRowValues(r.columns[i]); err != nil {
				return nil, runtime.Permanent(fmt.Errorf("write column %d: %w", i, err))
			}
			r.columns[i] = r.columns[i][:0]
		}
	}
	if err := out.Close(); err != nil {
		return nil, runtime.Permanent(fmt.Errorf("end the file: %w", err))
	}
	return file.Bytes(), nil
}
