// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"fmt"
	"strings"
)

// fishScript has a line for each verb, flag and argument.
func fishScript(a Agent) []byte {
	f := identifier(a.Name) + "_verb"
	b := fmt.Appendf(nil, `# fish completion for %[1]s: %[1]s completion fish | source
# The verb, or its absence, is the first word.
function %[2]s
	set -l words (commandline -opc)
	set -l verb $words[2]
	contains -- "$verb" %[3]s; or set verb run
	test $verb = $argv[1]
end
# A list keeps what stands before its last comma.
function %[4]s
	set -l before (commandline -ct | string match -r '^.*,')
	printf '%%s\n' "$before"$argv
end
complete -c %[1]s -f
`, a.Name, f, strings.Join(verbNames(), " "), identifier(a.Name)+"_list")
	for _, v := range verbs() {
		b = fmt.Appendf(b, "complete -c %s -n 'test (count (commandline -opc)) -eq 1' -a %s -d %s\n", a.Name, v.name, fishQuoted(v.summary))
	}
	for _, v := range verbs() {
		when := fmt.Sprintf("complete -c %s -n '%s %s'", a.Name, f, v.name)
		b = fmt.Appendf(b, "%s -o help -d 'Print the page of this verb.'\n", when)
		for _, o := range v.offered(a) {
			b = fmt.Appendf(b, "%s -o %s%s -d %s\n", when, o.name, fishValue(a, o), fishQuoted(o.help))
		}
		if v.complete == files {
			b = fmt.Appendf(b, "%s -F\n", when)
		} else if words := v.complete.words(a); len(words) > 0 {
			b = fmt.Appendf(b, "%s -a %s\n", strings.Replace(when, " -n '", " -n 'test (count (commandline -opc)) -gt 1; and ", 1), fishQuoted(strings.Join(words, " ")))
		}
	}
	return b
}

// fishValue says what a flag's value may be.
func fishValue(a Agent, o option) string {
	switch {
	case o.value == "":
		return ""
	case o.values == nothing:
		return " -x"
	case o.values == files:
		return " -r -F"
	case o.values == grainList:
		return " -x -a " + fishQuoted("("+identifier(a.Name)+"_list "+strings.Join(o.values.words(a), " ")+")")
	}
	return " -x -a " + fishQuoted(strings.Join(o.values.words(a), " "))
}

// fishQuoted is text between single quotes, where fish knows two escapes.
func fishQuoted(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(text) + "'"
}
