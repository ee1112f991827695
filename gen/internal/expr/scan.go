// SPDX-License-Identifier: Apache-2.0

package expr

import (
	"fmt"
	"math"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// number is a number as it was written.
type number struct {
	text  string
	value *big.Int
	unit  string // TypeDuration, TypeBytes, or "" for a plain one
	at    int
}

// scanned is an expression that CEL's parser can read: each number is a name,
// and so is each field that is called like a reserved word.
type scanned struct {
	text    string
	numbers []number
	pieces  []piece
	garbled bool // it has what CEL has no word for; what it says besides is a guess
}

// piece says that what begins at `now` of the scanned text began at `was`.
type piece struct{ now, was int }

const (
	numberName   = "__ingrain_number_"
	reservedName = "__ingrain_name_"
)

// reserved are words that CEL keeps for itself; a field may be called so.
var reserved = []string{
	"as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop",
	"package", "namespace", "return", "var", "void", "while",
}

// original is the offset in the text as it was written.
func (s *scanned) original(now int) int {
	i, _ := slices.BinarySearchFunc(s.pieces, now+1, func(p piece, now int) int { return p.now - now })
	if i == 0 {
		return now
	}
	p := s.pieces[i-1]
	if i < len(s.pieces) { // inside a word that was replaced: not beyond what it was
		return min(p.was+now-p.now, s.pieces[i].was)
	}
	return p.was + now - p.now
}

// say writes the names that stand for numbers and reserved words as they were.
func (s *scanned) say(msg string) string {
	msg = strings.ReplaceAll(msg, reservedName, "")
	for i, n := range slices.Backward(s.numbers) {
		msg = strings.ReplaceAll(msg, numberName+itoa(i), n.text)
	}
	return msg
}

// scan makes the text one that CEL's parser can read. wrong is called with
// what nobody could.
func scan(text string, wrong func(at int, format string, args ...any)) *scanned {
	s := &scanned{}
	var out strings.Builder
	put := func(from, to int, with string) {
		s.pieces = append(s.pieces, piece{out.Len(), from})
		out.WriteString(with)
		s.pieces = append(s.pieces, piece{out.Len(), to})
	}
	dotted := false // a dot came before
	for i := 0; i < len(text); {
		c := text[i]
		start := i
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f':
			i++
			out.WriteByte(c)
			continue // a dot may stand apart from its name
		case strings.HasPrefix(text[i:], "//"):
			for i < len(text) && text[i] != '\n' {
				i++
			}
			out.WriteString(text[start:i])
			continue
		case c == '"' || c == '\'':
			i = stringEnd(text, i, false)
			out.WriteString(text[start:i])
		case isDigit(c) || c == '.' && !dotted && i+1 < len(text) && isDigit(text[i+1]) && !endsOperand(out.String()):
			i = numberEnd(text, i)
			n, err := parseNumber(text[start:i])
			if err != nil {
				wrong(start, "%s", err)
				n = number{text: text[start:i], value: new(big.Int)}
			}
			n.at = start
			put(start, i, numberName+itoa(len(s.numbers)))
			s.numbers = append(s.numbers, n)
		case isLetter(c):
			for i < len(text) && (isLetter(text[i]) || isDigit(text[i])) {
				i++
			}
			word := text[start:i]
			if i < len(text) && (text[i] == '"' || text[i] == '\'') && isPrefix(word) {
				i = stringEnd(text, i, strings.ContainsAny(word, "rR"))
				out.WriteString(text[start:i])
				break
			}
			switch {
			case !dotted && slices.Contains(reserved, word):
				put(start, i, reservedName+word)
			case !dotted && (word == "and" || word == "or" || word == "not") && isWordOperator(text, start, i, word):
				s.garbled = true
				wrong(start, "%s is written %s", word, map[string]string{"and": "&&", "or": "||", "not": "!"}[word])
				put(start, i, map[string]string{"and": "&&", "or": "||", "not": "!"}[word])
			case !dotted && word == "not" && endsOperand(text[:start]) && strings.HasPrefix(strings.TrimLeft(text[i:], " "), "in "):
				s.garbled = true
				wrong(start, "x not in [..] is written !(x in [..])")
				put(start, i, "")
			default:
				out.WriteString(word)
			}
		case c == '=' && !strings.HasPrefix(text[i:], "=="):
			i++
			wrong(start, "= compares nothing; write ==")
			put(start, i, "==")
		case (c == '&' || c == '|') && (i+1 == len(text) || text[i+1] != c):
			i++
			s.garbled = true
			wrong(start, "there is no operator %c; conditions are joined by %c%c, bits are tested with bits.has(x, y), bits.any(x, y) and bits.and(x, y)", c, c, c)
			put(start, i, string(c)+string(c))
		case c == '=' || c == '&' || c == '|' || strings.ContainsRune("!<>", rune(c)) && i+1 < len(text) && text[i+1] == '=':
			i += 2
			out.WriteString(text[start:i])
		case c == '^' || c == '~' || strings.HasPrefix(text[i:], "<<") || strings.HasPrefix(text[i:], ">>"):
			i++
			if c == '<' || c == '>' {
				i++
			}
			s.garbled = true
			wrong(start, "there is no operator %s; bits are tested with bits.has(x, y), bits.any(x, y) and bits.and(x, y)", text[start:i])
			put(start, i, "+")
		case c >= 0x80 || c == '@' || c == '#' || c == '$' || c == ';' || c == '\\' || c < ' ' || c == 0x7f:
			for i++; i < len(text) && text[i] >= 0x80; i++ {
			}
			s.garbled = true
			wrong(start, "unexpected %q", text[start:i])
			put(start, i, " ")
		default:
			i++
			out.WriteByte(c)
		}
		dotted = c == '.' && i == start+1
	}
	s.text = out.String()
	return s
}

// endsOperand reports whether what was read so far ends with a value, so that
// a dot selects a member of it.
func endsOperand(text string) bool {
	text = strings.TrimRight(text, " \t\r\n")
	if text == "" {
		return false
	}
	c := text[len(text)-1]
	return isLetter(c) || isDigit(c) || c == ')' || c == ']'
}

// isWordOperator reports whether a word stands where an operator would.
func isWordOperator(text string, from, to int, word string) bool {
	before := endsOperand(text[:from]) || strings.HasSuffix(strings.TrimRight(text[:from], " \t\r\n"), `"`)
	after := strings.TrimLeft(text[to:], " \t\r\n")
	begins := after != "" && (isLetter(after[0]) || isDigit(after[0]) || strings.ContainsRune(`("'!-`, rune(after[0])))
	if word == "not" {
		return !before && begins && after[0] != '('
	}
	return before && begins
}

func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
func isLetter(c byte) bool { return c == '_' || 'a' <= c|0x20 && c|0x20 <= 'z' }

func isPrefix(word string) bool {
	switch strings.ToLower(word) {
	case "r", "b", "br", "rb":
		return true
	}
	return false
}

// stringEnd is where the string that begins with a quote at i ends. One that
// does not end is the parser's to refuse.
func stringEnd(text string, i int, raw bool) int {
	quote := text[i : i+1]
	if strings.HasPrefix(text[i:], strings.Repeat(quote, 3)) {
		quote = text[i : i+3]
	}
	for i += len(quote); i < len(text); i++ {
		switch {
		case strings.HasPrefix(text[i:], quote):
			return i + len(quote)
		case text[i] == '\\' && !raw:
			i++
		case text[i] == '\n' && len(quote) == 1:
			return i
		}
	}
	return len(text)
}

// numberEnd is where the number that begins at i ends, its unit included.
func numberEnd(text string, i int) int {
	for i < len(text) {
		switch {
		case isDigit(text[i]) || isLetter(text[i]) || text[i] == '.' && i+1 < len(text) && isDigit(text[i+1]):
			i++
		case (text[i] == '+' || text[i] == '-') && (text[i-1]|0x20) == 'e' && i+1 < len(text) && isDigit(text[i+1]) && exponent.MatchString(text[:i]):
			i++
		case strings.HasPrefix(text[i:], "µ") || strings.HasPrefix(text[i:], "μ"):
			i += 2
		default:
			return i
		}
	}
	return i
}

// sizeUnits are those of params.
var sizeUnits = map[string]int64{
	"B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30,
}

var (
	exponent = regexp.MustCompile(`(^|[^\w.])\d[\d_]*(\.\d+)?[eE]$`)
	plain    = regexp.MustCompile(`^(0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|[1-9][0-9_]*|0)[uU]?$`)
	double   = regexp.MustCompile(`^\d*\.?\d+([eE][-+]?\d+)?$`)
	measured = regexp.MustCompile(`^(\d[\d_]*)([A-Za-z]+)$`)
	octal    = regexp.MustCompile(`^0[0-9_]+$`)
)

// parseNumber reads a number and its unit.
func parseNumber(text string) (number, error) {
	n := number{text: text}
	if plain.MatchString(text) {
		digits := strings.TrimRight(text, "uU")
		value, ok := new(big.Int).SetString(digits, 0)
		if !ok {
			return n, fmt.Errorf("%s is no number", text)
		}
		if value.BitLen() > 64 {
			return n, fmt.Errorf("%s does not fit in 64 bits", text)
		}
		n.value = value
		return n, nil
	}
	if octal.MatchString(text) {
		return n, fmt.Errorf("%s must not start with 0; an octal number starts with 0o", text)
	}
	if double.MatchString(text) {
		return n, fmt.Errorf("there are no fractions: %s; numbers are integers of 64 bits", text)
	}
	if parts := measured.FindStringSubmatch(text); parts != nil {
		if unit, ok := sizeUnits[parts[2]]; ok {
			count, err := strconv.ParseInt(strings.ReplaceAll(parts[1], "_", ""), 10, 64)
			if err != nil || count > math.MaxInt64/unit {
				return n, fmt.Errorf("%s does not fit in 64 bits", text)
			}
			n.value, n.unit = big.NewInt(count*unit), "TypeBytes"
			return n, nil
		}
	}
	if len(text) > 1 && text[0] == '0' && isLetter(text[1]) && strings.ContainsRune("xXoObB", rune(text[1])) {
		return n, fmt.Errorf("%s is no number", text)
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		for unit := range sizeUnits {
			if strings.HasSuffix(text, unit) && strings.Contains(text, ".") {
				return n, fmt.Errorf("%s is not a size: sizes are whole numbers", text)
			}
		}
		return n, fmt.Errorf("%s has no known unit; sizes have B KB MB GB KiB MiB GiB, durations ns us ms s m h", text)
	}
	n.value, n.unit = big.NewInt(int64(d)), "TypeDuration"
	return n, nil
}
