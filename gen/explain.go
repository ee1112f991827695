// SPDX-License-Identifier: Apache-2.0

package gen

import (
	"fmt"
	"strings"

	"github.com/redsift/ingraind/gen/internal/emit"
	"github.com/redsift/ingraind/gen/internal/model"
)

// Explain tells, as text, what becomes of each event of a grain: what is asked
// and counted in the kernel and what in the agent, what is filled in for what,
// about what that costs, and the C and the Go of it.
func Explain(o Options, grain string) (string, error) {
	b, err := build(o, []string{grain})
	if err != nil {
		return "", err
	}
	defer b.site.close()
	var out strings.Builder
	for i, e := range b.models[0].Events {
		if i > 0 {
			out.WriteString("\n")
		}
		explainEvent(&out, b.models[0], e)
	}
	return out.String(), nil
}

func explainEvent(out *strings.Builder, g *model.Grain, e *model.Event) {
	line := func(format string, args ...any) { fmt.Fprintf(out, format+"\n", args...) }
	line("event %s.%s: %s", g.Name, e.Name, e.Help)
	for _, t := range e.Reject {
		line("  rejected by the program unless   %s  (about %.0f ns%s)", t.Expr, t.Cost(), filled(", after who.", t.Who))
	}
	if p := e.Parse; p != nil {
		var names []string
		for _, f := range p.Fields {
			names = append(names, f.Member)
		}
		line("  parsed by the agent:             %s, by %s of %s: %s", p.Raw.Path, p.Func, p.Dir, strings.Join(names, ", "))
	}
	for _, w := range e.Where {
		line("  filtered by the agent unless     %s  (%v)", w, w.InC())
	}
	if len(e.Who.Tables) > 0 {
		line("  filled in before tables:         who.%s", strings.Join(e.Who.Tables, ", who."))
	}
	for _, t := range e.Tables {
		line("  counted in table %-15s %s", t.Name+",", tablePlace(t))
	}
	if e.Sample > 0 {
		line("  sent by chance:                  one of %d", e.Sample)
	}
	if e.Limit > 0 {
		per := ""
		if e.Per != nil {
			per = ", for each " + e.Per.Expr.String()
		}
		line("  sent at most:                    %d a second%s", e.Limit, per)
	}
	switch {
	case !e.Sent:
		line("  sent:                            never; tables in the kernel are all that is made of it")
	case e.Stream:
		line("  sent:                            as a row%s", filled("; filled in before that: who.", e.Who.Sent))
	default:
		line("  sent:                            for tables in the agent alone%s", filled("; filled in before that: who.", e.Who.Sent))
	}
	line("  costs about:                     %s", e.Costs())
	line("\n%s", indented("C", emit.EventC(e)))
	if code := emit.EventGo(e); code != "" {
		line("%s", indented("Go", code))
	}
}

func filled(intro string, members []string) string {
	if len(members) == 0 {
		return ""
	}
	return intro + strings.Join(members, ", who.")
}

func tablePlace(t *model.Table) string {
	switch {
	case t.Dense > 0:
		return fmt.Sprintf("in the kernel: an array of %d keys, %d words for each CPU", t.Dense, t.Words)
	case t.Kernel:
		return fmt.Sprintf("in the kernel: a hash of up to %d keys of %d bytes, %d words for each CPU", t.Max, t.KeySize, t.Words)
	case t.Why != "":
		return fmt.Sprintf("in the agent (%s): up to %d keys of %d bytes, %d words", t.Why, t.Max, t.KeySize, t.Words)
	}
	return fmt.Sprintf("in the agent, as it says: up to %d keys of %d bytes, %d words", t.Max, t.KeySize, t.Words)
}

// indented is code below a title.
func indented(title, code string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "  %s:\n", title)
	for line := range strings.Lines(code + "\n") {
		if strings.TrimSpace(line) == "" {
			b.WriteString("\n")
			continue
		}
		b.WriteString("    " + line)
	}
	return b.String()
}
