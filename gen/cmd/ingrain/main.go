// SPDX-License-Identifier: Apache-2.0

// Command ingrain generates the Go and the eBPF objects of grains.
//
//	//go:generate go tool ingrain generate
package main

import "os"

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}
