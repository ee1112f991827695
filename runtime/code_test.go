// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// library is the C library.
func library(t *testing.T) string {
	t.Helper()
	file, err := findBinary("libc.so.6")
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func TestAStarIsAnyLetters(t *testing.T) {
	for _, test := range []struct {
		pattern string
		yes, no []string
	}{
		{"read", []string{"read"}, []string{"", "rea", "reads", "pread"}},
		{"read*", []string{"read", "reads", "read*"}, []string{"pread", "rea"}},
		{"*read", []string{"read", "pread"}, []string{"reads"}},
		{"*read*", []string{"read", "pread", "reads", "preads"}, []string{"raed"}},
		{"a*b*c", []string{"abc", "axbxc", "abbcc"}, []string{"acb", "ab", "abcd", "xabc"}},
		{"ab*ba", []string{"abba", "abxba"}, []string{"aba"}},
		{"main.*", []string{"main.main", "main.a/b"}, []string{"main"}},
		{"*", []string{"", "x"}, nil},
	} {
		for _, name := range test.yes {
			if !matches(test.pattern, name) {
				t.Errorf("%s does not match %q", test.pattern, name)
			}
		}
		for _, name := range test.no {
			if matches(test.pattern, name) {
				t.Errorf("%s matches %q", test.pattern, name)
			}
		}
	}
}

func TestFunctionsOfProgramsAreFoundByNameListAndPattern(t *testing.T) {
	one := func(target string) []uint64 {
		t.Helper()
		code, err := FindFunctions(target, nil)
		if err != nil {
			t.Fatal(err)
		}
		if code.file != library(t) || len(code.variants) != 1 || len(code.variants[0].semaphores) != code.places() || code.variants[0].binding != nil {
			t.Errorf("%s: got %+v", target, code)
		}
		return code.variants[0].offsets
	}
	set, get := one("libc.so.6:setlocale"), one(library(t)+":getenv")
	if len(set) != 1 || len(get) != 1 || set[0] == get[0] {
		t.Errorf("got %v and %v", set, get)
	}
	both := one("libc.so.6:getenv,setlocale,getenv")
	if want := []uint64{min(set[0], get[0]), max(set[0], get[0])}; !slices.Equal(both, want) {
		t.Errorf("got %v of a list, want %v", both, want)
	}
	if some := one("libc.so.6:setl*,gete*"); len(some) < 2 || !slices.Contains(some, set[0]) || !slices.Contains(some, get[0]) {
		t.Errorf("got %v of patterns, want %v and more", some, both)
	}
	// One function has both names.
	if same := one("libc.so.6:read,__read"); len(same) != 1 {
		t.Errorf("got %v, want one place", same)
	}
}

// The library of C++, which compilers need, has three probes.
func TestProbesOfALibraryAreFound(t *testing.T) {
	code, err := FindNotes("libstdc++.so.6:libstdcxx:throw", []string{"arg1", "arg2"})
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Base(code.file) != "libstdc++.so.6" || code.places() == 0 || len(code.variants[0].binding) != 2*16 || len(code.variants[0].semaphores) != len(code.variants[0].offsets) {
		t.Errorf("got %+v", code)
	}
	if code, err = FindNotes(code.file+":libstdcxx:throw", nil); err != nil || len(code.variants) != 1 || len(code.variants[0].binding) != 0 {
		t.Errorf("without arguments: got %+v, %v, want one variant", code, err)
	}
}

func TestWhatAProgramLacksIsSaidWithWhatIsNear(t *testing.T) {
	libc := library(t)
	cxx, err := findBinary("libstdc++.so.6")
	if err != nil {
		t.Fatal(err)
	}
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("no program"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		find   Finder
		target string
		args   []string
		want   string // a part of it
	}{
		{FindFunctions, "libc.so.6:no_such_function", nil, libc + " has no function no_such_function"},
		{FindFunctions, "libc.so.6:getadrinfo", nil, libc + " has no function getadrinfo; did you mean getaddrinfo?"},
		{FindFunctions, "libc.so.6:getenv,nothing_*", nil, libc + " has no function nothing_*"},
		{FindFunctions, "libc.so.6", nil, `"libc.so.6" is not BINARY:SYMBOL`},
		{FindFunctions, text + ":f", nil, text + " is no ELF file"},
		{FindNotes, "libstdc++.so.6:libstdcxx:throws", nil, cxx + " has no probe libstdcxx:throws; did you mean libstdcxx:throw?"},
		{FindNotes, "libstdc++.so.6:libstdc++:throw", nil, cxx + " has no probe libstdc++:throw; did you mean libstdcxx:throw?"},
		{FindNotes, "libstdc++.so.6:nothing:like_this", nil, cxx + " has no probe nothing:like_this; it has libstdcxx:catch, libstdcxx:rethrow, libstdcxx:throw"},
		{FindNotes, "/proc/self/exe:a:b", nil, "/proc/self/exe has no probe a:b, nor any other"},
		{FindNotes, "libc.so.6:setjmp", nil, `"libc.so.6:setjmp" is not BINARY:PROVIDER:PROBE`},
		{FindNotes, "libnosuch.so.1:a:b", nil, "no library libnosuch.so.1 on this machine"},
		{FindNotes, cxx + ":libstdcxx:throw", []string{"arg9"}, cxx + ": libstdcxx:throw has no arg9; it has 2"},
		{FindNotes, cxx + ":libstdcxx:throw", []string{"env"}, cxx + ": libstdcxx:throw has no argument env; they are arg1, arg2 and so on"},
	} {
		code, err := test.find(test.target, test.args)
		if err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%s: got %+v, %v, want %s", test.target, code, err, test.want)
		}
	}
}

// What is at a place of another file is any instruction, or a part of one.
func TestAFileThatHasChangedSinceIsLeftAlone(t *testing.T) {
	libc, err := os.ReadFile(library(t))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file, other := filepath.Join(dir, "libc.so.6"), filepath.Join(dir, "other")
	for _, name := range []string{file, other} {
		if err := os.WriteFile(name, libc, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for name, change := range map[string]func() error{
		"replaced": func() error { return os.Rename(other, file) },
		"edited":   func() error { return os.Truncate(file, int64(len(libc)-1)) },
		"removed":  func() error { return os.Remove(file) },
	} {
		if err := os.WriteFile(other, libc, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, libc, 0o700); err != nil {
			t.Fatal(err)
		}
		code, err := FindFunctions(file+":setlocale", nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := change(); err != nil {
			t.Fatal(err)
		}
		c := &choice{Way: &Way{Mechanism: Uprobe}, code: code}
		err = code.attach(c, nil, &code.variants[0], func(io.Closer) { t.Errorf("%s: attached", name) })
		if want := file + " has just been changed"; name == "removed" {
			if !errors.Is(err, os.ErrNotExist) {
				t.Errorf("%s: got %v", name, err)
			}
		} else if err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", name, err, want)
		}
	}
}

func TestManyPlacesInProgramsTakeOneLink(t *testing.T) {
	none := errors.New("this kernel has no uprobe.multi (since 6.6, CONFIG_UPROBES)")
	for _, test := range []struct {
		name   string
		places int
		multi  error
		want   Mechanism
		err    string
	}{
		{"one link", 500, nil, UprobeMulti, ""},
		{"one by one", 100, none, Uprobe, ""},
		{"too many", 101, none, "", "uprobe: /bin/shop:s* is at 101 places; without uprobe.multi at most 100 are probed one by one"},
	} {
		t.Run(test.name, func(t *testing.T) {
			k := kernelOf(t)
			k.UprobeMulti = func() error { return test.multi }
			found := func(target string, args []string) (*Code, error) {
				if target != "/bin/shop:s*" || !slices.Equal(args, []string{"arg1"}) {
					t.Errorf("asked for %s with %v", target, args)
				}
				return &Code{file: "/bin/shop", variants: []variant{{offsets: make([]uint64, test.places-1)}, {offsets: make([]uint64, 1)}}}, nil
			}
			g := &Grain{Name: "g", Probes: []Probe{{Name: "p", Args: []string{"arg1"}, Points: []Point{{At: "usdt/x", Bind: "p_at", Find: found, Ways: []Way{
				{UprobeMulti, "/bin/shop:s*", []string{"p_multi"}}, {Uprobe, "/bin/shop:s*", []string{"p"}},
			}}}}}}
			p := k.Plan(g, PlanOptions{})
			if test.err != "" {
				if p.Err == nil || !strings.Contains(p.Err.Error(), test.err) {
					t.Errorf("error is %v, want %s", p.Err, test.err)
				}
				return
			}
			if p.Err != nil || p.Placements[0].Mechanism != test.want || p.variants() != 2 {
				t.Errorf("placed as %+v, %v", p.Placements, p.Err)
			}
		})
	}
}
