// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// debPackage is one version of one package.
type debPackage struct{ name, version string }

func (p debPackage) String() string { return p.name + "=" + p.version }

// kernelDep matches the packages that make up a kernel in a Depends line. Up
// to 6.18 linux-image holds everything; since 6.19 it is empty and the parts
// are apart.
var kernelDep = regexp.MustCompile(`\b(linux-(?:image|base|binary|modules)-[0-9][^ ,|]*) \(= ([^)]+)\)`)

// resolve finds the packages that hold the kernel of r in one suite.
func (a *apt) resolve(ctx context.Context, r release, suite string) ([]debPackage, error) {
	var tried []string
	names, err := a.candidates(ctx, fmt.Sprintf(r.pkg, a.arch))
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		parts, missing, err := a.parts(ctx, name, suite)
		if err != nil {
			return nil, err
		}
		if len(missing) == 0 {
			return parts, nil
		}
		tried = append(tried, missing...)
	}
	return nil, fmt.Errorf("%s has no %s", suite, cmp.Or(strings.Join(tried, ", "), fmt.Sprintf(r.pkg, a.arch)))
}

// candidates are the packages that a pattern with at most one * stands for,
// newest first.
func (a *apt) candidates(ctx context.Context, pattern string) ([]string, error) {
	prefix, _, wild := strings.Cut(pattern, "*")
	if !wild {
		return []string{pattern}, nil
	}
	all, err := a.get(ctx, "apt-cache", "pkgnames", prefix)
	if err != nil {
		return nil, err
	}
	return newestFirst(pattern, strings.Fields(all)), nil
}

// newestFirst are the names that match a pattern, highest version first.
func newestFirst(pattern string, names []string) []string {
	names = slices.DeleteFunc(names, func(name string) bool {
		ok, err := path.Match(pattern, name)
		return err != nil || !ok
	})
	slices.SortFunc(names, func(x, y string) int { return slices.Compare(numbers(y), numbers(x)) })
	return names
}

// numbers are the numbers in a package's name, by which versions compare.
func numbers(name string) []int {
	var found []int
	for _, digits := range strings.FieldsFunc(name, func(r rune) bool { return r < '0' || r > '9' }) {
		n, err := strconv.Atoi(digits)
		if err == nil {
			found = append(found, n)
		}
	}
	return found
}

// parts follows the dependencies of a package of a suite to everything that
// the kernel consists of. Missing are those that no suite at hand has.
func (a *apt) parts(ctx context.Context, name, suite string) (parts []debPackage, missing []string, err error) {
	version, err := a.version(ctx, name, suite)
	if err != nil {
		return nil, nil, err
	}
	if version == "" {
		return nil, []string{name}, nil
	}
	queue := []debPackage{{name, version}}
	for len(queue) > 0 {
		p := queue[0]
		queue = queue[1:]
		// apt-cache fails for a package it never heard of, and prints nothing
		// for one that is only mentioned.
		shown, err := a.get(ctx, "apt-cache", "--no-all-versions", "show", p.String())
		if err != nil || field(shown, "Package") == "" {
			// A whole linux-image names a linux-base-VERSION that is made only later.
			if !strings.HasPrefix(p.name, "linux-base-") {
				missing = append(missing, p.String())
			}
			continue
		}
		if !strings.HasPrefix(p.name, "linux-image-cloud-") {
			parts = append(parts, p)
		}
		for _, dep := range kernelDep.FindAllStringSubmatch(field(shown, "Depends"), -1) {
			found := debPackage{dep[1], dep[2]}
			if !slices.Contains(parts, found) && !slices.Contains(queue, found) {
				queue = append(queue, found)
			}
		}
	}
	return parts, missing, nil
}

// version is the newest version of a package in a suite, or "".
func (a *apt) version(ctx context.Context, name, suite string) (string, error) {
	table, err := a.get(ctx, "apt-cache", "madison", name)
	if err != nil {
		return "", err
	}
	// name | version | uri suite/component arch Packages
	for line := range strings.Lines(table) {
		columns := strings.Split(line, "|")
		if len(columns) == 3 && strings.Contains(columns[2], " "+suite+"/") {
			return strings.TrimSpace(columns[1]), nil
		}
	}
	return "", nil
}

// field is the value of a one-line field of a package's description.
func field(description, name string) string {
	for line := range strings.Lines(description) {
		if value, ok := strings.CutPrefix(line, name+": "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
