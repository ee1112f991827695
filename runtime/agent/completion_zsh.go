// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"fmt"
	"strings"
)

// zshScript can be sourced, or stand in a directory of $fpath as _NAME.
func zshScript(a Agent) []byte {
	f := identifier(a.Name)
	b := fmt.Appendf(nil, `#compdef %[1]s
# zsh completion for %[1]s: source <(%[1]s completion zsh)
%[2]s() {
	local verb=run flag=${words[CURRENT-1]/#--/-}
	local -a offer
	if (( CURRENT == 2 )) && [[ ${words[2]} != -* ]]; then
		offer=(
`, a.Name, f)
	for _, v := range verbs() {
		b = fmt.Appendf(b, "\t\t\t%s\n", quoted(v.name+":"+strings.ReplaceAll(v.summary, ":", `\:`)))
	}
	b = fmt.Appendf(b, "\t\t)\n\t\t_describe verb offer\n\t\treturn\n\tfi\n\tcase ${words[2]} in\n\t%s) verb=${words[2]} ;;\n\tesac\n\tcase $flag in\n", strings.Join(verbNames(), "|"))
	valued(a, func(o option) {
		words := quotedAll(o.values.words(a))
		switch o.values {
		case files:
			b = fmt.Appendf(b, "\t-%s) _files; return ;;\n", o.name)
		case grainList:
			b = fmt.Appendf(b, "\t-%s) compset -P '*,'; compadd -q -S , -- %s; return ;;\n", o.name, words)
		case paramNames, placeNames, sinkNames:
			b = fmt.Appendf(b, "\t-%s) compadd -S '' -- %s; return ;;\n", o.name, words)
		case nothing:
			b = fmt.Appendf(b, "\t-%s) return ;;\n", o.name)
		default:
			b = fmt.Appendf(b, "\t-%s) compadd -- %s; return ;;\n", o.name, words)
		}
	})
	b = append(b, "\tesac\n\tcase $verb in\n"...)
	for _, v := range verbs() {
		b = fmt.Appendf(b, "\t%s)\n\t\toffer=(\n\t\t\t'-help:Print the page of this verb.'\n", v.name)
		for _, o := range v.offered(a) {
			b = fmt.Appendf(b, "\t\t\t%s\n", quoted("-"+o.name+":"+strings.ReplaceAll(o.help, ":", `\:`)))
		}
		b = append(b, "\t\t)\n"...)
		if v.complete == files {
			b = append(b, "\t\t[[ ${words[CURRENT]} != -* ]] && { _files; return; }\n"...)
		} else if words := v.complete.words(a); len(words) > 0 {
			b = fmt.Appendf(b, "\t\t[[ ${words[CURRENT]} != -* ]] && { compadd -- %s; return; }\n", quotedAll(words))
		}
		b = append(b, "\t\t;;\n"...)
	}
	return fmt.Appendf(b, `	esac
	_describe -o flag offer
}
if [[ ${funcstack[1]} == %[2]s ]]; then
	%[2]s "$@"
else
	compdef %[2]s %[1]s
fi
`, a.Name, f)
}

func quotedAll(words []string) string {
	var all []string
	for _, word := range words {
		all = append(all, quoted(word))
	}
	return strings.Join(all, " ")
}
