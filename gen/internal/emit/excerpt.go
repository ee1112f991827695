// SPDX-License-Identifier: Apache-2.0

package emit

import (
	"fmt"
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/redsift/ingraind/gen/internal/model"
)

// EventC is the part of the generated header that is about an event.
func EventC(e *model.Event) string {
	h := &header{}
	h.event(e)
	return strings.TrimSpace(h.String())
}

// EventGo is the part of the generated Go that parses an event in the agent,
// decides about it and counts it there; "" when that is left to the kernel.
func EventGo(e *model.Event) string {
	var parts []string
	add := func(c jen.Code) { parts = append(parts, strings.TrimSpace(fmt.Sprintf("%#v", jen.Add(c)))) }
	if e.Parse != nil {
		add(parser(e.Parse.Dir, e))
	}
	if len(e.Where) > 0 {
		add(where(e))
	}
	for _, t := range e.Tables {
		if !t.Kernel {
			add(agentTable(t))
		}
	}
	return strings.Join(parts, "\n\n")
}
