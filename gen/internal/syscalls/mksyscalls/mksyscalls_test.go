// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReadNumbersKnowsBothForms(t *testing.T) {
	path := filepath.Join(t.TempDir(), "unistd.h")
	text := "#ifndef X\n#define __NR_read (__NR_SYSCALL_BASE + 3)\n#define __NR_openat 257\n#endif\n"
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	got, err := readNumbers(path)
	if err != nil || len(got) != 2 || got["read"] != 3 || got["openat"] != 257 {
		t.Errorf("got %v, %v, want read 3 and openat 257", got, err)
	}
}

func TestReadNumbersRefusesWhatItCannotRead(t *testing.T) {
	for text, want := range map[string]string{
		"#define __NR_fcntl __NR3264_fcntl\n": ":1: number of fcntl",
		"#include <asm/unistd_64.h>\n":        "no openat",
	} {
		path := filepath.Join(t.TempDir(), "unistd.h")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := readNumbers(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got error %v, want %q", text, err, want)
		}
	}
}

func TestFieldsAreThoseAfterTheNumber(t *testing.T) {
	format := "format:\n\tfield:int common_pid;\toffset:4;\n\n\tfield:int __syscall_nr;\toffset:8;\n" +
		"\tfield:int dfd;\toffset:16;\n\tfield:const char * filename;\toffset:24;\n\tfield:__data_loc char[] __filename_val;\toffset:48;\n\nprint fmt: \"\"\n"
	if got, want := fields(format), "int dfd, const char * filename"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLiteralTidiesTypes(t *testing.T) {
	for args, want := range map[string]string{
		"":                                     `nil`,
		"const char *const * argv":             `[]Arg{{"argv", "const char *const *"}}`,
		"struct iocb * * iocbpp":               `[]Arg{{"iocbpp", "struct iocb **"}}`,
		"const clockid_t clk, int flags":       `[]Arg{{"clk", "clockid_t"}, {"flags", "int"}}`,
		"const struct x *const attr":           `[]Arg{{"attr", "const struct x *"}}`,
		"const enum landlock_rule_type type":   `[]Arg{{"type", "enum landlock_rule_type"}}`,
		"const char *uargs, unsigned long len": `[]Arg{{"uargs", "const char *"}, {"len", "unsigned long"}}`,
	} {
		if got := literal(args); got != want {
			t.Errorf("%q: got %s, want %s", args, got, want)
		}
	}
}
