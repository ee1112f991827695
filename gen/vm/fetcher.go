// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// fetcher holds what one call of Fetch shares between kernels.
type fetcher struct {
	FetchOptions
	tmp     string // on the file system of Dir, so that a folder can be renamed into place
	mirrors mirrors
}

func newFetcher(ctx context.Context, o FetchOptions) (*fetcher, error) {
	for _, tool := range []struct{ name, pkg string }{{"apt-get", "apt"}, {"apt-cache", "apt"}, {"dpkg-deb", "dpkg"}} {
		if _, err := lookTool(tool.name, tool.pkg); err != nil {
			return nil, err
		}
	}
	if _, err := os.Stat(keyring); err != nil {
		return nil, fmt.Errorf("%w; apt-get install debian-archive-keyring", err)
	}
	m := mirrors{o.Mirror, o.Security}
	if m.main == "" || m.security == "" {
		own, err := machineMirrors(ctx)
		if err != nil {
			return nil, err
		}
		m = mirrors{cmp.Or(m.main, own.main), cmp.Or(m.security, own.security)}
	}
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, err
	}
	tmp, err := os.MkdirTemp(dir, ".fetch-")
	return &fetcher{o, tmp, m}, err
}

// round tries each release in its suite and returns those that failed, with
// their reasons added to failures.
func (f *fetcher) round(ctx context.Context, releases []release, suites []string, failures map[string][]error) ([]release, error) {
	dir, err := os.MkdirTemp(f.tmp, "apt-")
	if err != nil {
		return nil, err
	}
	a, err := newAPT(ctx, dir, f.Arch, f.mirrors, slices.Compact(slices.Sorted(slices.Values(suites))))
	if err != nil {
		return nil, err
	}
	var failed []release
	for i, r := range releases {
		err := f.one(ctx, a, r, suites[i])
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			fmt.Fprintf(f.Log, "%s-%s: not from %s: %s\n", r.name, f.Arch, suites[i], firstLine(err.Error()))
			failures[r.name] = append(failures[r.name], err)
			failed = append(failed, r)
		}
	}
	return failed, nil
}

// one fetches one kernel from one suite.
func (f *fetcher) one(ctx context.Context, a *apt, r release, suite string) error {
	parts, err := a.resolve(ctx, r, suite)
	if err != nil {
		return err
	}
	args := []string{"-q", "download"}
	for _, p := range parts {
		args = append(args, p.String())
	}
	if _, err := a.get(ctx, "apt-get", args...); err != nil {
		return err
	}
	kernel := filepath.Join(a.dir, "kernel-"+r.name)
	for _, p := range parts {
		debs, err := filepath.Glob(filepath.Join(a.dir, p.name+"_*.deb"))
		if err != nil || len(debs) != 1 {
			return fmt.Errorf("apt-get download %s left %d files", p, len(debs))
		}
		if err := errors.Join(unpack(ctx, debs[0], kernel), os.Remove(debs[0])); err != nil {
			return err
		}
	}
	for _, file := range []string{"vmlinuz", "config", "modules"} {
		if _, err := os.Stat(filepath.Join(kernel, file)); err != nil {
			return fmt.Errorf("%v hold no %s", parts, file)
		}
	}
	version := parts[0].name + " " + parts[0].version + "\n"
	if err := os.WriteFile(filepath.Join(kernel, "version"), []byte(version), 0o644); err != nil {
		return err
	}
	return place(kernel, kernelDir(f.Dir, r.name, f.Arch))
}

// place renames a folder to where it belongs, unless another process was
// faster.
func place(from, to string) error {
	err := os.Rename(from, to)
	if _, there := os.Stat(filepath.Join(to, "version")); err != nil && there == nil {
		return nil
	}
	return err
}
