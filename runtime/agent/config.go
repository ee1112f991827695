// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// config reads a configuration file. All mistakes are found in one run, each
// with its position.
type config struct {
	file     string
	request  request
	mistakes []mistake
}

// readConfig reads the text of a configuration file.
func readConfig(file string, text []byte) (request, []mistake) {
	c := config{file: file}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var document, second yaml.Node
	err := decoder.Decode(&document)
	if errors.Is(err, io.EOF) {
		return c.request, nil
	}
	if err == nil {
		c.root(document.Content[0])
		err = decoder.Decode(&second)
	}
	switch {
	case err == nil:
		c.wrong(&second, "a second document: a configuration is one")
	case !errors.Is(err, io.EOF):
		c.mistakes = append(c.mistakes, c.syntax(err))
	}
	return c.request, c.mistakes
}

// syntax puts the position that the YAML parser found in front. It knows the line.
func (c *config) syntax(err error) mistake {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if rest, ok := strings.CutPrefix(text, "line "); ok {
		line, what, _ := strings.Cut(rest, ": ")
		if n, err := strconv.Atoi(line); err == nil {
			return mistake{place{c.file, n, 1}, errors.New("YAML syntax: " + what)}
		}
	}
	return mistake{place{c.file, 1, 1}, errors.New("YAML syntax: " + text)}
}

func (c *config) at(n *yaml.Node) place { return place{c.file, n.Line, n.Column} }

func (c *config) wrong(n *yaml.Node, format string, args ...any) {
	c.mistakes = append(c.mistakes, mistake{c.at(n), fmt.Errorf(format, args...)})
}

func (c *config) root(n *yaml.Node) {
	if isNull(n) {
		return
	}
	c.mapping(n, "a configuration", "grains: [exec]", func(name, value *yaml.Node) {
		for _, k := range keys() {
			if k.name == name.Value {
				c.key(k, value)
				return
			}
		}
		c.wrong(name, "%w", unknown("key", name.Value, namesOfKeys(keys())))
	})
}

// key reads the value of a key.
func (c *config) key(k key, value *yaml.Node) {
	if k.read != nil {
		k.read(c, value)
		return
	}
	err := errors.New("want one value")
	if value.Kind == yaml.ScalarNode && !isNull(value) {
		err = k.set(&c.request, value.Value)
	}
	if err != nil {
		c.wrong(value, "%s: %w", k.name, err)
	}
}

func (c *config) grains(n *yaml.Node) {
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 {
		c.wrong(n, "grains: want a list such as [exec, conn]")
		return
	}
	for _, item := range n.Content {
		item = target(item)
		if item.Kind != yaml.ScalarNode || isNull(item) {
			c.wrong(item, "grains: want the name of a grain")
			continue
		}
		c.request.grains = append(c.request.grains, word{item.Value, c.at(item)})
	}
}

func (c *config) params(n *yaml.Node) {
	c.mapping(n, "params", "{exec.max_args: 4KiB}", func(key, value *yaml.Node) {
		if value.Kind != yaml.ScalarNode || isNull(value) {
			c.wrong(value, "params: want a value, as in {exec.max_args: 4KiB}")
			return
		}
		c.request.params = append(c.request.params, c.setting(key, value))
	})
}

func (c *config) on(n *yaml.Node) {
	const example = "{packets.seen: [eth*]}"
	c.mapping(n, "on", example, func(key, value *yaml.Node) {
		names, ok := c.names(value, "on", example)
		if ok && len(names) == 0 {
			c.wrong(value, wantNames, "on", example)
			return
		}
		c.request.on = append(c.request.on, probeOn{word{key.Value, c.at(key)}, names})
	})
}

func (c *config) routes(n *yaml.Node) {
	const example = "{exec.exec: [file]}"
	c.mapping(n, "routes", example, func(key, value *yaml.Node) {
		names, _ := c.names(value, "routes", example)
		c.request.routes = append(c.request.routes, routeRequest{word{key.Value, c.at(key)}, names})
	})
}

const wantNames = "%s: want a name or a list of them, as in %s"

// names is a name or a list of names.
func (c *config) names(value *yaml.Node, what, example string) (names []word, ok bool) {
	items := []*yaml.Node{value}
	if value.Kind == yaml.SequenceNode {
		items = value.Content
	}
	for _, item := range items {
		item = target(item)
		if item.Kind != yaml.ScalarNode || isNull(item) || item.Value == "" {
			c.wrong(item, wantNames, what, example)
			return nil, false
		}
		names = append(names, word{item.Value, c.at(item)})
	}
	return names, true
}

func (c *config) sinks(n *yaml.Node) {
	if len(n.Content) == 0 {
		c.wrong(n, "sinks: want at least one, as in {console: }")
		return
	}
	c.mapping(n, "sinks", "{file: {path: /var/log/events.json}}", func(name, value *yaml.Node) {
		sink := sinkRequest{name: word{name.Value, c.at(name)}}
		if !isNull(value) {
			c.mapping(value, name.Value, "{path: /var/log/events.json}", func(key, value *yaml.Node) {
				if value.Kind != yaml.ScalarNode {
					c.wrong(value, "%s: want one value", key.Value)
					return
				}
				sink.settings = append(sink.settings, c.setting(key, value))
			})
		}
		c.request.sinks = append(c.request.sinks, sink)
	})
}

func (c *config) listen(n *yaml.Node) {
	const example = "{address: 127.0.0.1:9464}"
	c.request.listen = &sinkRequest{name: word{"", c.at(n)}}
	if n.Kind == yaml.ScalarNode && !isNull(n) {
		c.request.listen.name.text = n.Value
		return
	}
	c.mapping(n, "listen", example, func(key, value *yaml.Node) {
		if value.Kind != yaml.ScalarNode {
			c.wrong(value, "%s: want one value", key.Value)
			return
		}
		c.request.listen.settings = append(c.request.listen.settings, c.setting(key, value))
	})
}

func (c *config) setting(key, value *yaml.Node) setting {
	text := value.Value
	if isNull(value) {
		text = ""
	}
	return setting{word{key.Value, c.at(key)}, word{text, c.at(value)}}
}

// mapping calls each for the pairs of a mapping, and reports anything else,
// and keys that come twice.
func (c *config) mapping(n *yaml.Node, what, example string, each func(key, value *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		c.wrong(n, "%s: want keys and values, as in %s", what, example)
		return
	}
	lines := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := target(n.Content[i])
		if key.Kind != yaml.ScalarNode {
			c.wrong(key, "%s: want a name in front of the colon", what)
			continue
		}
		if line, twice := lines[key.Value]; twice {
			c.wrong(key, "key %q is already on line %d", key.Value, line)
			continue
		}
		lines[key.Value] = key.Line
		each(key, target(n.Content[i+1]))
	}
}

// target is what an alias stands for.
func target(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }
