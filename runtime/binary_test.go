// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"encoding/binary"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBinariesAreFoundByPathOrAsLibraries(t *testing.T) {
	for _, test := range []struct{ name, base, err string }{
		{"libc.so.6", "libc.so.6", ""},
		{"libc", "libc.so.6", ""},
		{"/proc/self/exe", "exe", ""},
		{"/no/such/file", "", "stat /no/such/file: no such file or directory"},
		{"bin/ls", "", "bin/ls is neither an absolute path nor the name of a library"},
		{"libnosuch.so.1", "", "no library libnosuch.so.1 on this machine"},
	} {
		file, err := findBinary(test.name)
		if err != nil || test.err != "" {
			if err == nil || err.Error() != test.err {
				t.Errorf("%s: error is %v, want %s", test.name, err, test.err)
			}
			continue
		}
		if filepath.Base(file) != test.base || !filepath.IsAbs(file) {
			t.Errorf("%s: got %s, want .../%s", test.name, file, test.base)
		}
	}
}

func TestUserTargetsAreBinaryAndSymbol(t *testing.T) {
	for target, want := range map[string]string{
		"libc.so.6:read":       "libc.so.6 read",
		"/opt/a:b/server:main": "/opt/a:b/server main",
		"libc.so.6":            `  "libc.so.6" is not BINARY:SYMBOL`,
		":read":                `  ":read" is not BINARY:SYMBOL`,
		"libc.so.6:":           `  "libc.so.6:" is not BINARY:SYMBOL`,
	} {
		binary, symbol, err := splitUserTarget(target)
		got := binary + " " + symbol
		if err != nil {
			got += " " + err.Error()
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", target, got, want)
		}
	}
}

func TestTheLibraryCacheIsReadWithinItsBounds(t *testing.T) {
	entry := func(name uint32) []byte {
		return binary.NativeEndian.AppendUint64(binary.NativeEndian.AppendUint64(binary.NativeEndian.AppendUint32(
			binary.NativeEndian.AppendUint32(nil, 0), 0), uint64(name)), 0)
	}
	cache := append([]byte("glibc-ld.so.cache1.1"), 2, 0, 0, 0)
	cache = append(cache, make([]byte, 24)...)
	cache = append(append(cache, entry(96)...), entry(1<<30)...)
	cache = append(cache, "/lib/libone.so\x00"...)
	if diff := cmp.Diff([]string{"/lib/libone.so"}, cachedLibraries(cache)); diff != "" {
		t.Errorf("libraries differ (-want +got):\n%s", diff)
	}
	for n := range cache {
		for _, file := range cachedLibraries(cache[:n]) {
			if !strings.HasPrefix("/lib/libone.so", file) {
				t.Errorf("of %d bytes: %q", n, file)
			}
		}
	}
}
