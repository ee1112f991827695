// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// FetchOptions say which kernels to get. Only Dir and Names are needed.
type FetchOptions struct {
	Dir   string   // where the kernels' folders go; made when missing
	Names []string // as in Names()
	Arch  string   // "" is amd64
	Log   io.Writer

	// Mirror and Security are the addresses of Debian's archive and of its
	// security archive; "" is the one that this machine's apt uses.
	Mirror, Security string
}

// Fetch gets kernels from Debian's archives, signatures checked by apt, and
// returns them in the order of the names. A kernel whose folder is there is
// not fetched again; a folder appears complete or not at all. It needs
// apt-get, dpkg-deb and Debian's keyring, no root, and does not touch the
// machine's own apt.
func Fetch(ctx context.Context, o FetchOptions) ([]Kernel, error) {
	if o.Arch == "" {
		o.Arch = "amd64"
	}
	if o.Log == nil {
		o.Log = io.Discard
	}
	if _, err := archOf(o.Arch); err != nil {
		return nil, err
	}
	wanted, err := lookup(o.Names)
	if err != nil {
		return nil, err
	}
	if err := fetchMissing(ctx, o, wanted); err != nil {
		return nil, err
	}
	kernels := make([]Kernel, 0, len(wanted))
	for _, r := range wanted {
		dir, err := filepath.Abs(kernelDir(o.Dir, r.name, o.Arch))
		if err != nil {
			return nil, err
		}
		k, err := Open(dir)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(o.Log, "%s: %s\n", k, k.Version)
		kernels = append(kernels, k)
	}
	return kernels, nil
}

// fetchMissing gets those that have no folder yet: all from their first
// suites at once, then what failed from the suite behind it, and so on.
func fetchMissing(ctx context.Context, o FetchOptions, wanted []release) error {
	var missing []release
	for _, r := range wanted {
		if _, err := os.Stat(kernelDir(o.Dir, r.name, o.Arch)); err != nil {
			missing = append(missing, r)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	f, err := newFetcher(ctx, o)
	if err != nil {
		return err
	}
	defer os.RemoveAll(f.tmp)

	failures := make(map[string][]error)
	for round := 0; len(missing) > 0; round++ {
		var errs []error
		suites := make([]string, 0, len(missing))
		for _, r := range missing {
			if round >= len(r.suites) {
				errs = append(errs, fmt.Errorf("fetch kernel %s for %s: %w\n\tchange the line of %q in the table of gen/vm/table.go",
					r.name, o.Arch, errors.Join(failures[r.name]...), r.name))
				continue
			}
			suites = append(suites, r.suites[round])
		}
		if len(errs) > 0 {
			return errors.Join(errs...)
		}
		if missing, err = f.round(ctx, missing, suites, failures); err != nil {
			return err
		}
	}
	return nil
}
