// SPDX-License-Identifier: Apache-2.0

package expr_test

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"cel.dev/cel-go/cel"

	"github.com/redsift/ingraind/gen/internal/expr"
)

// Where CEL proper gives a result, it is ours. It gives none where numbers
// overflow or are divided by 0, which are values here.
func TestCELMeansTheSameWhereItGivesAResult(t *testing.T) {
	count, events := 300, 20
	if full() {
		count, events = 5000, 50
	}
	options := []cel.EnvOption{cel.CrossTypeNumericComparisons(true)}
	for _, f := range fields {
		switch {
		case strings.Contains(f.Path, "."):
		case f.Type == "TypeBool":
			options = append(options, cel.Variable(f.Path, cel.BoolType))
		case f.Type == "TypeString" || f.Type == "TypeText":
			options = append(options, cel.Variable(f.Path, cel.StringType))
		case plainNumber(f) && f.Signed:
			options = append(options, cel.Variable(f.Path, cel.IntType))
		case plainNumber(f):
			options = append(options, cel.Variable(f.Path, cel.UintType))
		}
	}
	env, err := cel.NewEnv(options...)
	if err != nil {
		t.Fatal(err)
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	a := &author{Rand: rand.New(rand.NewPCG(seed, 2)), cel: true}
	var some []event
	for range events {
		some = append(some, randomEvent(a.Rand))
	}
	compared, both := 0, 0
	for range 4 * count {
		if both >= count {
			break
		}
		text := a.condition(a.IntN(4))
		ours, _ := expr.Compile(expr.Source{Text: text}, allVars(), expr.WantBool)
		tree, issues := env.Compile(text)
		if ours == nil || issues.Err() != nil {
			continue
		}
		program, err := env.Program(tree)
		if err != nil {
			t.Fatal(err)
		}
		both++
		for _, ev := range some {
			theirs, _, err := program.Eval(activation(ev))
			if err != nil {
				continue // an overflow, or a division by 0
			}
			compared++
			got := ours.Eval(func(path string) expr.Value { return ev.values[path] }).Num == 1
			if want := theirs.Value().(bool); got != want {
				t.Errorf("%s: got %v, CEL says %v on %s", text, got, want, values(tried{Expr: ours}, ev))
				break
			}
		}
	}
	t.Logf("%d expressions, %d results", both, compared)
	if both < count || compared < count*events/2 {
		t.Errorf("got %d expressions that both take and %d results, want %d and %d", both, compared, count, count*events/2)
	}
}

// activation is an event as CEL sees it.
func activation(ev event) map[string]any {
	all := map[string]any{}
	for _, f := range fields {
		v := ev.values[f.Path]
		switch {
		case f.Type == "TypeBool":
			all[f.Path] = v.Num != 0
		case f.Type == "TypeString" || f.Type == "TypeText":
			s, _, _ := bytes.Cut(v.Bytes, []byte{0})
			all[f.Path] = string(s)
		case f.Signed:
			all[f.Path] = int64(v.Num)
		default:
			all[f.Path] = v.Num
		}
	}
	return all
}
