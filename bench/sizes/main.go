// SPDX-License-Identifier: Apache-2.0

// Command sizes builds agents, static and stripped, and prints what each grain
// and each sink adds to one that holds the grain exec and the sink console. It
// compares with docs/sizes.md, and fails when a part has grown by more than a
// tenth, or 16 KiB if that is more.
//
//	go run ./bench/sizes          measure and compare
//	go run ./bench/sizes -write   and write docs/sizes.md anew
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
)

func main() {
	write := flag.Bool("write", false, "write "+page+" anew, instead of comparing with it")
	flag.Parse()
	if err := run(*write); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(write bool) error {
	b, err := newBuilder()
	if err != nil {
		return err
	}
	defer b.close()
	parts, err := b.parts()
	if err != nil {
		return err
	}
	for i := range parts {
		fmt.Fprintf(os.Stderr, "building %s\n", parts[i].name)
		if parts[i].bytes, err = b.size(parts[i]); err != nil {
			return err
		}
	}
	if linked, err := b.links(parts[1], "net/http"); linked || err != nil {
		return errors.Join(err, fmt.Errorf("%s: linked with net/http: %v", parts[1].name, linked))
	}
	less(parts)
	text := appendPage(nil, parts)
	os.Stdout.Write(text)
	if write {
		return os.WriteFile(b.file(page), text, 0o644)
	}
	before, err := os.ReadFile(b.file(page))
	if err != nil {
		return err
	}
	if p := parts[1]; float64(p.bytes) > p.aim*1e6 {
		return fmt.Errorf("%s: %d bytes, want at most %.0f MB", p.name, p.bytes, p.aim)
	}
	return errors.Join(grown(parts, readPage(before))...)
}
