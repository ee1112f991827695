// SPDX-License-Identifier: Apache-2.0

// Package diag holds a user's mistakes: each one a position and a sentence,
// all of one run together.
package diag

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Pos is a place in a source file. Line and Col count from 1; Col counts
// bytes. A Line of 0 means the file as a whole.
type Pos struct {
	File string
	Line int
	Col  int
}

// String is "file:line:col", or the file alone when the line is not known.
func (p Pos) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
}

// Mistake is one thing wrong with a grain, said in one sentence that names
// the fix where it is known.
type Mistake struct {
	Pos Pos
	Msg string
}

// Error is "file:line:col: message".
func (m Mistake) Error() string { return m.Pos.String() + ": " + m.Msg }

// List collects the mistakes of one run. The zero value is ready to use.
type List struct {
	mistakes []Mistake
}

// Add records a mistake at pos.
func (l *List) Add(pos Pos, format string, args ...any) {
	l.mistakes = append(l.mistakes, Mistake{pos, fmt.Sprintf(format, args...)})
}

// Join adds the mistakes of other.
func (l *List) Join(other List) { l.mistakes = append(l.mistakes, other.mistakes...) }

// Len is the number of mistakes.
func (l *List) Len() int { return len(l.mistakes) }

// Mistakes returns them sorted by position, each once.
func (l *List) Mistakes() []Mistake {
	sorted := slices.Clone(l.mistakes)
	slices.SortStableFunc(sorted, func(a, b Mistake) int {
		return cmp.Or(
			cmp.Compare(a.Pos.File, b.Pos.File),
			cmp.Compare(a.Pos.Line, b.Pos.Line),
			cmp.Compare(a.Pos.Col, b.Pos.Col),
			cmp.Compare(a.Msg, b.Msg))
	})
	return slices.Compact(sorted)
}

// Err is nil without mistakes, else one error with a line for each.
func (l *List) Err() error {
	var errs []error
	for _, m := range l.Mistakes() {
		errs = append(errs, m)
	}
	return errors.Join(errs...)
}

// DidYouMean returns `; did you mean "x"?` for the candidate nearest to got,
// or "" when none is near: at most a third of got's letters, and one more,
// would have to change, and not all.
func DidYouMean(got string, candidates []string) string {
	best, bestDist := "", len(got)/3+1
	for _, c := range candidates {
		d := distance(strings.ToLower(got), strings.ToLower(c))
		if d >= max(len(got), len(c)) || d > bestDist || best != "" && d == bestDist {
			continue
		}
		best, bestDist = c, d
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// distance is the edit distance of Levenshtein, over bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substitute := diagonal
			if a[i] != b[j] {
				substitute++
			}
			diagonal = row[j+1]
			row[j+1] = min(substitute, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
