// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
)

// drain measures the reading of records that lie in a ring; see bench/drain.
func drain(b *bench) ([]row, error) {
	program, err := b.buildInside("bench/drain", "runtime/internal/drain")
	if err != nil {
		return nil, err
	}
	libbpf, err := b.buildLibbpf()
	if err != nil {
		return nil, err
	}
	out, err := output(exec.Command(program, "-rounds", strconv.Itoa(max(b.rounds(45), 15)), "-libbpf", libbpf))
	if err != nil {
		return nil, err
	}
	var measured map[string][]float64
	if err := json.Unmarshal([]byte(out), &measured); err != nil {
		return nil, fmt.Errorf("%s: %w", out, err)
	}
	ours := median(measured["ours"])
	rows := []row{
		compared("drain, against libbpf", "ns/record", ours, median(measured["libbpf"]), 1.1),
		compared("drain, against ReadInto", "ns/record", ours, median(measured["ReadInto"]), 1.0/5),
		compared("drain, against Read", "ns/record", ours, median(measured["Read"]), 1.0/20),
	}
	// A reader that does little else waits for memory: where others fill the
	// caches, it and libbpf's take three times as long, and those that copy and
	// allocate hardly longer. What is equal in both is what tests hold to.
	rows[1].Limit, rows[2].Limit = 0.6, 0
	return rows, nil
}

// buildLibbpf builds the program that reads with libbpf.
func (b *bench) buildLibbpf() (string, error) {
	path := b.path("libbpf-drain")
	_, err := output(exec.Command("gcc", "-O2", "-o", path, filepath.Join(b.root, "bench", "libbpf", "drain.c"), "-lbpf"))
	if err != nil {
		return "", fmt.Errorf("build with libbpf (apt-get install gcc libbpf-dev): %w", err)
	}
	return path, nil
}
