// SPDX-License-Identifier: Apache-2.0

// Package gen turns grains, a YAML file and a C file each, into Go packages
// and the agent that holds them. Command ingrain is its command line.
package gen

import (
	"os"
	"path/filepath"

	"github.com/redsift/ingraind/gen/internal/elf"
	"github.com/redsift/ingraind/gen/internal/model"
	"github.com/redsift/ingraind/gen/internal/write"
)

// Options say what to generate. The zero value generates for the current
// folder.
type Options struct {
	// Root is the folder that holds grains/ and bpf/, and gets generated/.
	// It lies in a Go module. "" is the current folder.
	Root string
	// CC is the clang to use; "" finds one.
	CC string
	// Cache is where compiled objects are kept for the next run: "" is a
	// folder of the user's cache, "-" keeps none.
	Cache string
	// Dry changes nothing and returns what would change.
	Dry bool
}

// Change is a file of generated/ that was, or would be, written or removed.
type Change = write.Change

// Generate brings generated/ up to date with grains/ and bpf/, and returns
// what it changed, in the order of paths. It writes nothing when anything is
// wrong; the error then has a line for each mistake, "file:line:col: message".
// What clang has to say goes to stderr as it is.
func Generate(o Options) ([]Change, error) {
	b, err := build(o, nil)
	if err != nil {
		return nil, err
	}
	defer b.site.close()
	files, err := b.site.emit(b.models, b.objects)
	if err != nil {
		return nil, err
	}
	return write.Apply(b.site.root, "generated", files, o.Dry)
}

// built is a site with its grains compiled. Close its site after use.
type built struct {
	site    *site
	models  []*model.Grain
	objects map[*model.Grain][]object
}

// build goes through the stages for the named grains, or all, up to objects.
func build(o Options, only []string) (*built, error) {
	compiler, err := elf.Find(o.CC, cacheDir(o.Cache))
	if err != nil {
		return nil, err
	}
	s, err := openSite(o.Root)
	if err != nil {
		return nil, err
	}
	s.compiler, s.only = compiler, only
	b := &built{site: s}
	if err := b.stages(); err != nil {
		s.close()
		return nil, err
	}
	return b, nil
}

func (b *built) stages() error {
	grains, err := b.site.read()
	if err != nil {
		return err
	}
	if err := b.site.layouts(grains); err != nil {
		return err
	}
	if b.models, err = b.site.bind(grains); err != nil {
		return err
	}
	b.objects, err = b.site.compile(b.models)
	return err
}

func cacheDir(setting string) string {
	if setting == "-" {
		return ""
	}
	if setting != "" {
		return setting
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "ingrain")
}
