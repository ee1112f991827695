// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"fmt"
	"strings"
)

// bashScript completes by words: the shell splits them at = and : too, which
// are joined to what stands before them.
func bashScript(a Agent) []byte {
	f := identifier(a.Name)
	b := fmt.Appendf(nil, `# bash completion for %[1]s: source <(%[1]s completion bash)
%[2]s() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} verb=run first=${COMP_WORDS[1]}
	COMPREPLY=()
	if [[ $cur == "=" ]]; then
		cur=""
	elif [[ $prev == "=" && $COMP_CWORD -gt 2 ]]; then
		prev=${COMP_WORDS[COMP_CWORD-2]}
	fi
	case $first in
	%[3]s) [[ $COMP_CWORD -gt 1 ]] && verb=$first ;;
	esac
	case ${prev/#--/-} in
`, a.Name, f, strings.Join(verbNames(), "|"))
	valued(a, func(o option) {
		words := strings.Join(o.values.words(a), " ")
		switch o.values {
		case nothing:
			b = fmt.Appendf(b, "\t-%s) return ;;\n", o.name)
		case files:
			b = fmt.Appendf(b, "\t-%s) compopt -o default; return ;;\n", o.name)
		case grainList:
			b = fmt.Appendf(b, "\t-%s)\n\t\tlocal before=\"\"\n\t\t[[ $cur == *,* ]] && before=${cur%%,*},\n\t\tCOMPREPLY=($(compgen -P \"$before\" -W %s -- \"${cur##*,}\"))\n\t\tcompopt -o nospace\n\t\treturn ;;\n", o.name, quoted(words))
		case paramNames, placeNames, sinkNames:
			b = fmt.Appendf(b, "\t-%s) COMPREPLY=($(compgen -W %s -- \"$cur\")); compopt -o nospace; return ;;\n", o.name, quoted(words))
		default:
			b = fmt.Appendf(b, "\t-%s) COMPREPLY=($(compgen -W %s -- \"$cur\")); return ;;\n", o.name, quoted(words))
		}
	})
	b = append(b, "\tesac\n\tlocal words=\"\"\n\tcase $verb in\n"...)
	for _, v := range verbs() {
		b = fmt.Appendf(b, "\t%s)\n\t\twords=%s\n", v.name, quoted(v.flagNames(a)))
		if v.complete == files {
			b = append(b, "\t\t[[ $cur != -* ]] && { compopt -o default; return; }\n"...)
		} else if words := v.complete.words(a); len(words) > 0 {
			b = fmt.Appendf(b, "\t\t[[ $cur != -* ]] && words=%s\n", quoted(strings.Join(words, " ")))
		}
		b = append(b, "\t\t;;\n"...)
	}
	return fmt.Appendf(b, `	esac
	[[ $COMP_CWORD -eq 1 && $cur != -* ]] && words=%s
	COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -F %s %s
`, quoted(strings.Join(verbNames(), " ")), f, a.Name)
}
