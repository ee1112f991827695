// SPDX-License-Identifier: Apache-2.0

package spec

import (
	"fmt"
	"path"
	"strings"

	"gopkg.in/yaml.v3"
)

// Thing is what a probe point is at, beside being a place in the kernel.
type Thing string

// The things.
const (
	OnNothing   Thing = ""                    // nothing beside
	OnCgroup    Thing = "a cgroup"            // its path below the root of all
	OnInterface Thing = "an interface"        // its name, or a pattern for names
	OnNetns     Thing = "a network namespace" // its name, or a file of it
)

var things = map[Kind]Thing{
	CgroupSKB: OnCgroup, Cgroup: OnCgroup, Sockops: OnCgroup,
	XDP: OnInterface, TCX: OnInterface, Socket: OnInterface,
	SkLookup: OnNetns,
}

// Thing is what the point is at.
func (pt *Point) Thing() Thing { return things[pt.Kind] }

// on reads what the points of a probe are at: one name, or a list of them.
func (p *parser) on(n *yaml.Node, points []Point) []Value {
	thing := OnNothing
	for i := range points {
		switch at := points[i].Thing(); {
		case at == OnNothing:
			p.mistake(n, "on says nothing of %s, which is at no interface, cgroup or network namespace", points[i].Text)
			return nil
		case thing != OnNothing && at != thing:
			p.mistake(n, "on is %s to %s and %s to %s; make them two probes", thing, points[0].Text, at, points[i].Text)
			return nil
		default:
			thing = at
		}
	}
	var values []Value
	if n.Kind == yaml.SequenceNode {
		values = p.list(n, "on", "name")
	} else if v, ok := p.scalar(n, "on"); ok {
		values = []Value{v}
	}
	for _, v := range values {
		if err := thing.check(v.Text); err != nil {
			p.mistakes.Add(v.Pos, "%v", err)
		}
	}
	return values
}

// check refuses what cannot be the name of such a thing.
func (t Thing) check(name string) error {
	switch t {
	case OnCgroup:
		if path.Clean("/"+name) != "/"+strings.TrimPrefix(name, "/") || name == "" {
			return fmt.Errorf("%q is not the path of a cgroup; write it as /proc/PID/cgroup does, such as /system.slice, or / for all", name)
		}
	case OnNetns:
		if name == "" || strings.Contains(name, "/") && !path.IsAbs(name) {
			return fmt.Errorf("%q is not a network namespace; write its name, or a file such as /proc/1/ns/net", name)
		}
	case OnInterface:
		if _, err := path.Match(name, ""); err != nil || name == "" || strings.ContainsAny(name, "/: \t") {
			return fmt.Errorf("%q is not the name of an interface, nor a pattern for names; write it like eth0 or eth*", name)
		}
	}
	return nil
}

// every reads how often the points of a probe are visited.
func (p *parser) every(n *yaml.Node, points []Point) int64 {
	for i := range points {
		if points[i].Kind != Iter && points[i].Kind != PerfEvent {
			p.mistake(n, "every says nothing of %s, which runs when something happens", points[i].Text)
			return 0
		}
	}
	v, ok := p.scalar(n, "every")
	if !ok {
		return 0
	}
	typ, d, err := parseLiteral(v.Text)
	if err != nil || typ != Duration || d <= 0 {
		p.mistakes.Add(v.Pos, "every must be a duration, such as 10s or 10ms, not %s", v.Text)
		return 0
	}
	return d
}
