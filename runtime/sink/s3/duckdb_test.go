// SPDX-License-Identifier: Apache-2.0

package s3_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// answer is what DuckDB says to a statement.
type answer struct {
	Names []string
	Types []string
	Rows  [][]any // numbers of 64 bits are strings
	Error string
}

// sql has DuckDB answer statements, one after the other, in one session.
func sql(t *testing.T, statements ...string) []answer {
	t.Helper()
	modules, err := filepath.Abs(root + "/.cache/duckdb/node_modules")
	if err == nil {
		_, err = os.Stat(modules + "/@duckdb/node-api")
	}
	if err != nil {
		t.Fatalf("%v: run .ci/duckdb, which installs it", err)
	}
	questions, err := json.Marshal(statements)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", "testdata/ask.js")
	cmd.Env = append(os.Environ(), "NODE_PATH="+modules)
	cmd.Stdin = bytes.NewReader(questions)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("node: %v: %s", err, &errs)
	}
	var answers []answer
	if err := json.Unmarshal(out, &answers); err != nil || len(answers) != len(statements) {
		t.Fatalf("got %d answers to %d questions, %v: %s", len(answers), len(statements), err, out)
	}
	for i, a := range answers {
		if a.Error != "" {
			t.Fatalf("%s\n%s", statements[i], a.Error)
		}
	}
	return answers
}

// one is the only value of the only row of the answer to a statement.
func one(t *testing.T, statement string) any {
	t.Helper()
	a := sql(t, statement)[0]
	if len(a.Rows) != 1 || len(a.Rows[0]) != 1 {
		t.Fatalf("%s\ngot %v, want one value", statement, a.Rows)
	}
	return a.Rows[0][0]
}

// quoted is text as a string of SQL.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
