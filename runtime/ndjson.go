// SPDX-License-Identifier: Apache-2.0

package runtime

// NDJSON is the encoding of one JSON object a line (ndjson.org).
type NDJSON struct{}

// Name is "ndjson".
func (NDJSON) Name() string { return "ndjson" }

// AppendRow appends row as a line.
func (NDJSON) AppendRow(dst []byte, row *Row) []byte {
	return append(row.Event.AppendJSON(dst, row.Record), '\n')
}
