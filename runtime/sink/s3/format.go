// SPDX-License-Identifier: Apache-2.0

package s3

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/redsift/ingraind/runtime"
)

// Format is a way to make an object of rows: a value of the setting format.
type Format struct {
	Name        string // "ndjson"
	Help        string // "a JSON object a line"
	Extension   string // of an object's name, with its dot
	ContentType string
	Partition   runtime.Partition // what rows of an object have in common
	// Encoding makes the encoding of rows; each sink has its own.
	Encoding func() runtime.Encoding
	// Content makes an object of a batch's bytes, which stay as they are. An error
	// is Permanent when these bytes are none of the encoding's.
	Content func(rows []byte, p Packing) ([]byte, error)
	// Compresses says that Content does. Otherwise the sink compresses what Content
	// makes, and the object's name says so.
	Compresses bool
	Licences   string // of what it links, as in runtime.Part
}

// Packing says how an object is to be.
type Packing struct {
	Compression Compression
	// Foldered says that the layout makes folders of the grain and the event, which
	// engines take for columns: rows need not have them.
	Foldered bool
}

// Compression is what the setting compression says.
type Compression string

// The ways to compress.
const (
	Zstd Compression = "zstd"
	Gzip Compression = "gzip"
	None Compression = "none"
)

func parseCompression(text string) (Compression, error) {
	switch c := Compression(text); c {
	case Zstd, Gzip, None:
		return c, nil
	}
	return "", fmt.Errorf("compression: %q is none of zstd, gzip, none", text)
}

func ndjson() runtime.Encoding { return runtime.NDJSON{} }

// own are the formats that all agents with this sink have.
func own() []Format {
	return []Format{
		{
			Name: "ndjson", Help: "a JSON object a line", Extension: ".ndjson", ContentType: "application/x-ndjson",
			Partition: runtime.ByGrain, Encoding: ndjson,
			Content: func(lines []byte, _ Packing) ([]byte, error) { return lines, nil },
		},
		{
			Name: "json", Help: "an array of them", Extension: ".json", ContentType: "application/json",
			Partition: runtime.ByGrain, Encoding: ndjson,
			Content: func(lines []byte, _ Packing) ([]byte, error) { return arrayOf(lines), nil },
		},
	}
}

// formatOf finds a format by its name.
func formatOf(formats []Format, name string) (Format, error) {
	var names []string
	for _, f := range formats {
		if f.Name == name {
			return f, nil
		}
		names = append(names, f.Name)
	}
	if name == "parquet" {
		return Format{}, fmt.Errorf("format: this agent has no parquet: list s3/parquet in its agent.yaml, in place of s3")
	}
	if len(names) == 2 {
		return Format{}, fmt.Errorf("format: %q is neither %s", name, strings.Join(names, " nor "))
	}
	return Format{}, fmt.Errorf("format: %q is none of %s", name, strings.Join(names, ", "))
}

// helpOf is the help of the setting format.
func helpOf(formats []Format) string {
	var all []string
	for _, f := range formats {
		all = append(all, f.Name+": "+f.Help)
	}
	return strings.Join(all, "; ") + "."
}

// arrayOf is JSON lines as an array. A line feed is in no JSON but between
// values.
func arrayOf(lines []byte) []byte {
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
