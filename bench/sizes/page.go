// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"regexp"
	"strconv"
)

// page is where the table is kept.
const page = "docs/sizes.md"

const words = `# Sizes

What a grain or a sink adds to an agent for x86-64 that holds the grain exec and the sink console, static and stripped as
releases are, in bytes; s3/parquet is what it adds to s3. What two parts share, such as net/http, is counted at each of them here and once in an agent with both.
Measured and compared by ` + "`go run ./bench/sizes`" + `, which tests run too: a part that has grown by more than a tenth, or 16 KiB if that is more, fails
them; written by ` + "`go run ./bench/sizes -write`" + `. The first two rows and the last are whole agents.

| part | bytes | aim |
|---|---:|---:|
`

// less leaves of each part what it adds to the one that it is added to.
func less(parts []part) {
	whole := map[string]int64{"": parts[0].bytes}
	for i := range parts {
		whole[parts[i].name] = parts[i].bytes
		if !parts[i].whole {
			parts[i].bytes -= whole[parts[i].to]
		}
	}
}

// appendPage appends the page with the table.
func appendPage(dst []byte, parts []part) []byte {
	dst = append(dst, words...)
	for _, p := range parts {
		aim := ""
		if p.aim > 0 {
			aim = fmt.Sprintf("%.0f MB", p.aim)
			if float64(p.bytes) > p.aim*1e6 {
				aim += ", missed"
			}
		}
		dst = fmt.Appendf(dst, "| %s | %d | %s |\n", p.name, p.bytes, aim)
	}
	return dst
}

var line = regexp.MustCompile(`(?m)^\| ([^|]+) \| (\d+) \|`)

// readPage is the table of a page.
func readPage(text []byte) map[string]int64 {
	sizes := map[string]int64{}
	for _, row := range line.FindAllSubmatch(text, -1) {
		sizes[string(row[1])], _ = strconv.ParseInt(string(row[2]), 10, 64) // digits
	}
	return sizes
}

// grown says which parts are larger than they may be.
func grown(parts []part, before map[string]int64) []error {
	var errs []error
	for _, p := range parts {
		was, ok := before[p.name]
		if !ok {
			errs = append(errs, fmt.Errorf("%s: not in %s: go run ./bench/sizes -write", p.name, page))
			continue
		}
		if most := was + max(was/10, 16<<10); p.bytes > most {
			errs = append(errs, fmt.Errorf("%s: %d bytes, was %d: if it is worth that, go run ./bench/sizes -write", p.name, p.bytes, was))
		}
	}
	return errs
}
