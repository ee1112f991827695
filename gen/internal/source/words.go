// SPDX-License-Identifier: Apache-2.0

package source

func isAggregate(word string) bool {
	return word == "struct" || word == "union" || word == "enum"
}

func isQualifier(word string) bool {
	switch word {
	case "const", "volatile", "restrict", "__restrict", "_Atomic", "register", "static", "extern", "inline", "__user", "__kernel":
		return true
	}
	return false
}

// isReserved reports whether word can only be part of a type.
func isReserved(word string) bool {
	switch word {
	case "void", "_Bool", "char", "short", "int", "long", "signed", "unsigned", "float", "double", "__int128":
		return true
	}
	return isQualifier(word) || isAggregate(word)
}

// isControl reports whether word may stand before parentheses without being
// called.
func isControl(word string) bool {
	switch word {
	case "if", "for", "while", "switch", "return", "sizeof", "_Alignof", "case", "do", "else":
		return true
	}
	return isTypeof(word) || isAttribute(word)
}

func isTypeof(word string) bool {
	return word == "typeof" || word == "__typeof__" || word == "__typeof"
}

// isAttribute reports whether word says something about a declaration without
// being part of it.
func isAttribute(word string) bool {
	switch word {
	case "__attribute__", "__attribute", "_Alignas", "alignas", "__aligned", "__packed", "__unused", "__maybe_unused":
		return true
	}
	return false
}
