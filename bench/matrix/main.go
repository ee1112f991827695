// SPDX-License-Identifier: Apache-2.0

// Command matrix says how each grain runs on each kernel: it is planned, loaded
// and attached there, by the mechanisms that the kernel has.
//
//	go run ./bench/matrix                  on this kernel, as JSON
//	go run ./bench/matrix -kernels DIR     on those that vmtest has fetched into DIR, and on this one, as a page
//	go run ./bench/matrix -kernels .cache/kernels -write docs/kernels.md
//
// It needs root, and for other kernels QEMU.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	kernels := flag.String("kernels", "", "also on the kernels in `DIR`")
	write := flag.String("write", "", "write the page to `FILE`")
	flag.Parse()
	if os.Geteuid() != 0 {
		return errors.New("grains are loaded: run this as root")
	}
	if *kernels == "" {
		found, err := look()
		if err != nil {
			return err
		}
		return json.NewEncoder(os.Stdout).Encode(found)
	}
	all, err := everywhere(*kernels)
	if err != nil {
		return err
	}
	text := appendPage(nil, all)
	if *write != "" {
		return os.WriteFile(*write, text, 0o644)
	}
	_, err = os.Stdout.Write(text)
	return err
}
