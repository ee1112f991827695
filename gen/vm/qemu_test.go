// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// fakeQEMU is a folder with an emulator that only says its version.
func fakeQEMU(t *testing.T, version string) string {
	t.Helper()
	dir := t.TempDir()
	bin := filepath.Join(dir, "usr/bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	script := fmt.Sprintf("#!/bin/sh\necho '%s'\n", version)
	if err := os.WriteFile(filepath.Join(bin, "qemu-system-x86_64"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestSeveralCPUsNeedANewQEMU(t *testing.T) {
	for _, test := range []struct {
		version string
		cpus    int
		want    string
	}{
		{"QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7)", 1, ""},
		{"QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7)", 2, "2 CPUs need QEMU 10 or newer"},
		{"QEMU emulator version 9.2.0", 2, "2 CPUs need QEMU 10 or newer"},
		{"QEMU emulator version 10.0.2 (Debian 1:10.0.2+ds-2)", 2, ""},
		{"QEMU emulator version 11.0", 4, ""},
		{"hello", 2, "does not say its version"},
	} {
		q, err := findQEMU(arches[0], fakeQEMU(t, test.version))
		if err != nil {
			t.Fatal(err)
		}
		err = q.checkSMP(t.Context(), test.cpus)
		if (test.want == "") != (err == nil) || !strings.Contains(errText(err), test.want) {
			t.Errorf("%d CPUs on %q: got %v, want %q", test.cpus, test.version, err, test.want)
		}
	}
}

func TestWhatIsMissingNamesItsPackage(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := findQEMU(arches[1], "")
	if want := "qemu-system-aarch64 is not installed; apt-get install qemu-system-arm"; errText(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
	_, err = Fetch(t.Context(), FetchOptions{Dir: t.TempDir(), Names: []string{"6.1"}})
	if want := "apt-get is not installed; apt-get install apt"; errText(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
	_, err = findQEMU(arches[0], t.TempDir())
	if !strings.Contains(errText(err), "unpack the Debian package qemu-system-x86 there") {
		t.Errorf("got %v, want how to unpack it", err)
	}
}

func TestLibrariesOfADynamicProgramAreFound(t *testing.T) {
	a, err := archOf(runtime.GOARCH)
	if err != nil {
		t.Fatal(err)
	}
	found, err := libraries("/bin/ls", a)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for guest := range found {
		names = append(names, filepath.Base(guest))
	}
	all := strings.Join(names, " ")
	for _, want := range []string{"libc.so.6", "ld-linux"} {
		if !strings.Contains(all, want) {
			t.Errorf("found %s, which lacks %s", all, want)
		}
	}
	for _, other := range arches {
		if other.name == a.name {
			continue
		}
		if _, err := libraries("/bin/ls", other); !strings.Contains(errText(err), "build it with GOARCH="+other.name) {
			t.Errorf("a program for another machine: got %v, want how to build it", err)
		}
	}
}
