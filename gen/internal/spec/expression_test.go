// SPDX-License-Identifier: Apache-2.0

package spec

import (
	"strings"
	"testing"
	"time"
)

const grainAround = `grain: x
help: h
probes: {p: syscall/openat}
events:
  e:
    help: h
    where: `

// Each byte of a condition that is no white space stands in the file where
// Place says that it does.
func TestPlaceOfAnExpressionIsThatOfItsCharacters(t *testing.T) {
	for name, text := range map[string]string{
		"plain":             "size > 1 && path.startsWith(1)",
		"plain, two lines":  "size > 1 &&\n      größe < 2",
		"single quotes":     "'who.comm == \"ssh''d\"'",
		"double quotes":     `"who.comm == 'a' && size > 1"`,
		"two quoted lines":  "\"size > 1 &&\n      x < 2\"",
		"literal block":     "|\n      size > 1\n        && x < 2\n\n      && y == 3\n",
		"literal, stripped": "|-\n      size > 1",
		"folded block":      ">\n      größe > 1\n      && x < 2\n",
	} {
		t.Run(name, func(t *testing.T) {
			file := grainAround + text + "\n"
			g, mistakes := ParseGrain("x.yaml", []byte(file))
			if err := mistakes.Err(); err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(file, "\n")
			where := g.Events[0].Where
			if where.Text == "" || len(where.Places) != len(where.Text) {
				t.Fatalf("got %d places of %q", len(where.Places), where.Text)
			}
			for i, c := range where.Text {
				if c == ' ' || c == '\n' {
					continue
				}
				at := where.Place(i)
				if line := lines[at.Line-1]; !strings.HasPrefix(line[at.Col-1:], string(c)) {
					t.Errorf("byte %d, %q, of %q: got %v, where there is %q", i, c, where.Text, at, line[at.Col-1:])
				}
			}
		})
	}
}

func TestPlaceOfAnEscapeIsWhereItBegins(t *testing.T) {
	g, mistakes := ParseGrain("x.yaml", []byte(grainAround+`"a == \"b\" && \x63 > 1"`+"\n"))
	if err := mistakes.Err(); err != nil {
		t.Fatal(err)
	}
	where := g.Events[0].Where
	for _, want := range []struct {
		at   string
		line int
		col  int
	}{{`"b`, 7, 18}, {"b", 7, 20}, {"c >", 7, 27}, {"1", 7, 34}} {
		if got := where.Place(strings.Index(where.Text, want.at)); got.Line != want.line || got.Col != want.col {
			t.Errorf("%q: got %v, want %d:%d", want.at, got, want.line, want.col)
		}
	}
}

func TestTableHasItsParts(t *testing.T) {
	g, mistakes := ParseGrain("x.yaml", []byte(`grain: x
help: h
probes: {p: syscall/openat}
events:
  e: {help: h, stream: {sample: 1/100, limit: 1000/s, per: who.pid}}
tables:
  t:
    help: Moves.
    of: e
    key: {comm: who.comm, net: "cidr(peer, 24)"}
    cells: {bytes: sum(size)}
    every: 1m
    idle: 5m
    max: 100
    in: agent
    name: volume.out
    sinks: [console]
  u: {help: All., of: e, cells: {n: count()}}
`))
	if err := mistakes.Err(); err != nil {
		t.Fatal(err)
	}
	stream := g.Events[0].Stream
	if !stream.On || stream.Sample != 100 || stream.Limit != 1000 || stream.Per.Text != "who.pid" {
		t.Errorf("stream: got %+v", stream)
	}
	all := g.Tables[0]
	if all.Of.Text != "e" || len(all.Key) != 2 || all.Key[1].Label.Text != "net" || all.Key[1].Text != "cidr(peer, 24)" ||
		all.Cells[0].Text != "sum(size)" || all.Every.Duration != time.Minute || all.Idle.Duration != 5*time.Minute ||
		all.Max.Number != 100 || all.In.Text != InAgent || all.Measure.Text != "volume.out" || len(all.Sinks) != 1 {
		t.Errorf("table t: got %+v", all)
	}
	least := g.Tables[1]
	if least.Key != nil || least.Every.Duration != defaultEvery || least.Idle.Duration != 0 || least.Max.Number != defaultMax || least.In.Given() {
		t.Errorf("table u: got %+v, want defaults", least)
	}
}
