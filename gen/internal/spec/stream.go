// SPDX-License-Identifier: Apache-2.0

package spec

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// Stream says which events of a kind leave one by one.
type Stream struct {
	On     bool
	Sample int64      // one of so many, by chance; 0 for all
	Limit  int64      // at most so many a second; 0 for no limit
	Per    Expression // each value of it has a limit of its own
}

var streamKeys = []string{"sample", "limit", "per"}

// stream reads an event's `stream`.
func (p *parser) stream(n *yaml.Node) Stream {
	if n.Kind != yaml.MappingNode {
		return Stream{On: p.flag(n, "stream", true)}
	}
	s := p.section(n, "stream", p.pos(n), streamKeys, nil)
	stream := Stream{On: true}
	if n := s.values["sample"]; n != nil {
		stream.Sample = p.rate(n, "sample", "1/", "", "1/100, one of a hundred", 2, math.MaxUint32)
	}
	if n := s.values["limit"]; n != nil {
		stream.Limit = p.rate(n, "limit", "", "/s", "1000/s", 1, math.MaxUint32)
	}
	if n := s.values["per"]; n != nil {
		stream.Per = p.expression(n, "per")
		if s.values["limit"] == nil {
			p.mistake(n, "per without limit has no effect; write limit: 1000/s beside it")
		}
	}
	return stream
}

// rate reads a whole number between prefix and suffix.
func (p *parser) rate(n *yaml.Node, name, prefix, suffix, example string, least, most int64) int64 {
	v, ok := p.scalar(n, name)
	if !ok {
		return 0
	}
	digits := strings.TrimSuffix(strings.TrimPrefix(v.Text, prefix), suffix)
	number, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || v.Text != fmt.Sprint(prefix, number, suffix) {
		p.mistakes.Add(v.Pos, "%s must be written as in %s, not %q", name, example, v.Text)
		return 0
	}
	if number < least || number > most {
		p.mistakes.Add(v.Pos, "%s %s: the number must be between %d and %d", name, v.Text, least, most)
		return 0
	}
	return number
}
