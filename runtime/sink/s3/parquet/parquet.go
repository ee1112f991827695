// SPDX-License-Identifier: Apache-2.0

// Package parquet is the sink s3 with one more format: Apache Parquet. Agents
// list it as s3/parquet, in place of s3, because it is several megabytes more.
//
// An object is a Parquet file with rows of one event or table. Its columns are
// called and nested as the JSON of rows is, so that one question can be asked of
// both.
package parquet

import (
	_ "embed"

	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/sink/s3"
)

// Part is the sink "s3".
func Part() runtime.Part { return s3.PartWith(Format()) }

// Format is the value "parquet" of the sink's setting format.
func Format() s3.Format {
	return s3.Format{
		Name:        "parquet",
		Help:        "a Parquet file of one event or table, in the layout hive below grain=exec/event=exit",
		Extension:   ".parquet",
		ContentType: "application/vnd.apache.parquet",
		Partition:   runtime.ByEvent,
		Encoding:    func() runtime.Encoding { return newEncoding() },
		Content:     content,
		Compresses:  true,
		Licences:    licences,
	}
}

// licences are those of what the format links beside what the sink does.
//
//go:embed licences.txt
var licences string
