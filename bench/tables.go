// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"fmt"
	"strconv"
	"strings"
)

// tables measures what counting in tables and reading them costs, by the
// benchmarks of the packages that do it: they reach what is internal to them.
// Times that pass, each the least of its turns.
func tables(b *bench) ([]row, error) {
	kernel, err := b.benchmark("runtime/internal/ktable", "^(BenchmarkRead|BenchmarkCount)$", b.rounds(6))
	if err != nil {
		return nil, err
	}
	return []row{
		compared("10,000 series read from a hash of the kernel, against Iterate", "ns/key", kernel["hash-ns/key"], kernel["iterate-ns/key"], 1.0/10),
		compared("the same, from an array that is mapped", "ns/key", kernel["dense-ns/key"], kernel["iterate-ns/key"], 1.0/100),
	}, nil
}

// benchmark runs benchmarks of a package n times, and returns the least of
// each figure.
func (b *bench) benchmark(folder, pattern string, n int) (map[string]float64, error) {
	out, err := b.inTree("go", "test", "-run", "^$", "-bench", pattern, "-benchtime", strconv.Itoa(n)+"x", "./"+folder)
	if err != nil {
		return nil, err
	}
	least := map[string]float64{}
	for lines := bufio.NewScanner(strings.NewReader(out)); lines.Scan(); {
		words := strings.Fields(lines.Text())
		if len(words) < 4 || !strings.HasPrefix(words[0], "Benchmark") {
			continue
		}
		for i := 2; i+1 < len(words); i += 2 {
			value, err := strconv.ParseFloat(words[i], 64)
			if err != nil {
				return nil, fmt.Errorf("%s says %q: %w", folder, lines.Text(), err)
			}
			if was, ok := least[words[i+1]]; !ok || value < was {
				least[words[i+1]] = value
			}
		}
	}
	return least, nil
}
