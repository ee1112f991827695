// SPDX-License-Identifier: Apache-2.0

package emit

import (
	"fmt"
	"strings"

	"github.com/redsift/ingraind/gen/internal/model"
)

// table is a table in the kernel, and the function that counts an event in it:
//
//	struct ingrain_key_by_peer {
//		char comm[16];
//		__u16 port;
//	} __attribute__((aligned(8)));
//	INGRAIN_TABLE_HASH(by_peer, struct ingrain_key_by_peer, 8192, 3);
//
//	static __always_inline void ingrain_count_by_peer(const struct _data_close *v)
//	{
//		const bool alone = INGRAIN_ALONE(by_peer);
//		struct ingrain_key_by_peer k;
//		__u64 *cells;
//
//		__builtin_memset(&k, 0, sizeof(k));
//		...
//		cells = INGRAIN_HASH_CELLS(by_peer, &k);
//		if (!cells)
//			return;
//		ingrain_cell_add(alone, &cells[0], 1);
//		...
//	}
func (h *header) table(t *model.Table) {
	event := t.Event.Name
	h.line("/* Table %s: %s */", t.Name, comment(t.Help))
	switch {
	case t.Dense > 0:
		h.line("INGRAIN_TABLE_DENSE(%s, %d, %d);\n", t.Name, t.Dense, t.Words)
	default:
		h.keyStruct("ingrain_key_"+t.Name, t.Key)
		h.line("INGRAIN_TABLE_HASH(%[1]s, struct ingrain_key_%[1]s, %[2]d, %[3]d);\n", t.Name, t.Max, t.Words)
	}
	h.line("static __always_inline void ingrain_count_%s(struct _data_%s *v)\n{", t.Name, event)
	if t.Dense > 0 {
		h.denseKey(t)
	} else {
		h.line("\tconst bool alone = INGRAIN_ALONE(%[1]s);\n\tstruct ingrain_key_%[1]s k;\n\t__u64 *cells;\n\n\t__builtin_memset(&k, 0, sizeof(k));", t.Name)
		for _, c := range t.Key {
			h.lines("\t", c.Expr.StoreC("k."+c.Label))
		}
		h.line("\tcells = INGRAIN_HASH_CELLS(%s, &k);", t.Name)
	}
	h.line("\tif (!cells)\n\t\treturn;\n\tingrain_cell_add(alone, &cells[0], 1);")
	for _, c := range t.Cells {
		for _, line := range cell(c) {
			h.line("\t%s", line)
		}
	}
	h.line("}\n")
}

// denseKey numbers the key: its columns are the digits.
func (h *header) denseKey(t *model.Table) {
	h.line("\tconst bool alone = INGRAIN_ALONE(%s);\n\t__u64 *cells, n = 0;\n", t.Name)
	for _, c := range t.Key {
		h.line("\tn = ingrain_digit(n, %s, %d);", bare(c.Expr.C()), c.Count)
	}
	h.line("\tcells = INGRAIN_DENSE_CELLS(%s, n, %d);", t.Name, t.Dense)
}

// bare is an expression without the parentheses around it.
func bare(text string) string {
	if !strings.HasPrefix(text, "(") || !strings.HasSuffix(text, ")") {
		return text
	}
	depth := 0
	for i, c := range text {
		switch c {
		case '(':
			depth++
		case ')':
			depth--
		}
		if depth == 0 && i < len(text)-1 {
			return text
		}
	}
	return text[1 : len(text)-1]
}

// keyStruct is what the columns of a key are stored in.
func (h *header) keyStruct(name string, columns []*model.Column) {
	h.line("struct %s {", name)
	for _, c := range columns {
		h.line("\t%s;", keyMember(c))
	}
	if len(columns) == 0 {
		h.line("\t__u64 all; /* events have one key */")
	}
	h.line("} __attribute__((aligned(8)));")
}

func keyMember(c *model.Column) string {
	member := c.Expr.Type().C(c.Label)
	if c.Leaf.Type == "TypeString" && c.Leaf.Size%8 == 0 {
		member += " __attribute__((aligned(8)))"
	}
	return member
}

// cell is the statements that count an event in one cell.
func cell(c *model.Cell) []string {
	at := fmt.Sprintf("&cells[%d]", c.Word)
	value := "0"
	if c.Expr.Arg != nil {
		value = bare(c.Expr.Arg.C())
	}
	sign := "u"
	if c.Leaf != nil && c.Leaf.Signed {
		sign = "s"
	}
	switch strings.ToLower(c.Expr.Kind) {
	case "sum", "mean":
		return []string{fmt.Sprintf("ingrain_cell_add(alone, %s, %s);", at, value)}
	case "min":
		return []string{fmt.Sprintf("ingrain_cell_max(alone, %s, ~ingrain_ordered_%s(%s));", at, sign, value)}
	case "max":
		return []string{fmt.Sprintf("ingrain_cell_max(alone, %s, ingrain_ordered_%s(%s));", at, sign, value)}
	case "last":
		return []string{fmt.Sprintf("ingrain_cell_last(alone, %s, %s);", at, value)}
	case "exp2":
		return []string{fmt.Sprintf("INGRAIN_BUCKET(alone, %s, %d, ingrain_exp2_%s(%s));", at, c.Words, sign, value)}
	case "linear":
		return []string{fmt.Sprintf("INGRAIN_BUCKET(alone, %s, %d, ingrain_linear_%s(%s, %s, %s, %d));", at, c.Words, sign, value, number(c.Expr.Start), number(c.Expr.Width), c.Expr.N)}
	case "buckets":
		above := "0"
		for _, b := range c.Expr.Bounds {
			above += fmt.Sprintf(" + (x > %s)", number(b))
		}
		return []string{
			"{",
			fmt.Sprintf("\t__%s64 x = %s;\n", sign, value),
			fmt.Sprintf("\tINGRAIN_BUCKET(alone, %s, %d, %s);", at, c.Words, above),
			"}",
		}
	}
	return nil
}

// limit is the function that keeps the events of a kind within their limit.
func (h *header) limit(e *model.Event) {
	h.keyStruct("ingrain_per_"+e.Name, per(e))
	kind := "BPF_MAP_TYPE_LRU_HASH"
	most := 8192
	if e.Per == nil {
		kind, most = "BPF_MAP_TYPE_HASH", 1
	}
	h.line(`struct {
	__uint(type, %[2]s);
	__uint(max_entries, %[3]d);
	__type(key, struct ingrain_per_%[1]s);
	__type(value, struct ingrain_bucket);
} ingrain_buckets_%[1]s SEC(".maps");

static __always_inline __u32 ingrain_limit_%[1]s(struct _data_%[1]s *v, __u32 weight, struct ingrain_counts *counts)
{
	struct ingrain_per_%[1]s k;
	struct ingrain_bucket *b, fresh = {};

	__builtin_memset(&k, 0, sizeof(k));`, e.Name, kind, most)
	for _, c := range per(e) {
		h.lines("\t", c.Expr.StoreC("k."+c.Label))
	}
	h.line(`	b = bpf_map_lookup_elem(&ingrain_buckets_%[1]s, &k);
	if (!b) {
		bpf_map_update_elem(&ingrain_buckets_%[1]s, &k, &fresh, BPF_NOEXIST);
		b = bpf_map_lookup_elem(&ingrain_buckets_%[1]s, &k);
	}
	return b ? ingrain_limited(b, %[2]d, weight, counts) : weight;
}
`, e.Name, e.Limit)
}

func per(e *model.Event) []*model.Column {
	if e.Per == nil {
		return nil
	}
	return []*model.Column{e.Per}
}
