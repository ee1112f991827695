// SPDX-License-Identifier: Apache-2.0

package agent

import "github.com/redsift/ingraind/runtime"

// schema is a JSON Schema, as far as configuration files need one.
type schema struct {
	Draft       string            `json:"$schema,omitempty"`
	Title       string            `json:"title,omitempty"`
	Description string            `json:"description,omitempty"`
	Type        any               `json:"type,omitempty"` // a name or names
	Default     any               `json:"default,omitempty"`
	Enum        []string          `json:"enum,omitempty"`
	OneOf       []schema          `json:"oneOf,omitempty"`
	Items       *schema           `json:"items,omitempty"`
	MinItems    int               `json:"minItems,omitempty"`
	Properties  map[string]schema `json:"properties,omitempty"`
	Additional  *bool             `json:"additionalProperties,omitempty"`
}

// configSchema is that of the agent's configuration file.
func configSchema(a Agent) schema {
	all := closed(map[string]schema{})
	all.Draft = "https://json-schema.org/draft/2020-12/schema"
	all.Title = "Configuration of " + a.Name
	all.Type = []string{"object", "null"}
	for _, k := range a.keys() {
		s := k.schema(a)
		s.Description = k.help
		if value, lines := k.standard(a); k.set != nil && lines == nil {
			s.Default = value
		}
		all.Properties[k.name] = s
	}
	return all
}

// closed is an object with these keys alone.
func closed(properties map[string]schema) schema {
	no := false
	return schema{Type: "object", Properties: properties, Additional: &no}
}

// scalar is a value as YAML may write it; the agent reads its text.
func scalar() schema { return schema{Type: []string{"string", "number", "boolean", "null"}} }

func textSchema(Agent) schema { return schema{Type: []string{"string", "number"}} }

func enumSchema(names []string) func(Agent) schema {
	return func(Agent) schema { return schema{Enum: names} }
}

func arrayOf(of schema, least int) schema { return schema{Type: "array", Items: &of, MinItems: least} }

// oneOrMany is a name, or a list of such.
func oneOrMany(of schema, least int) schema { return schema{OneOf: []schema{of, arrayOf(of, least)}} }

func grainsSchema(a Agent) schema { return arrayOf(schema{Enum: a.grainNames()}, 1) }

func sinksSchema(a Agent) schema {
	sinks := map[string]schema{}
	for i := range a.Sinks {
		part := &a.Sinks[i]
		one := closed(map[string]schema{})
		one.Type = []string{"object", "null"}
		one.Description = part.Help
		delivery := a.deliveryDefaults(part)
		for _, s := range append(deliverySettings(), part.Settings...) {
			if standard, ok := delivery[s.Name]; ok {
				s.Default = standard
			}
			one.Properties[s.Name] = settingSchema(s)
		}
		sinks[part.Name] = one
	}
	return closed(sinks)
}

func settingSchema(s runtime.Setting) schema {
	one := scalar()
	one.Description = s.Help
	if s.Default != "" {
		one.Default = s.Default
	}
	return one
}

func listenSchema(a Agent) schema {
	all := closed(map[string]schema{})
	for _, s := range a.Observer.Settings {
		all.Properties[s.Name] = settingSchema(s)
	}
	return schema{OneOf: []schema{{Type: "string"}, all}}
}

func routesSchema(a Agent) schema {
	routes := map[string]schema{}
	for _, name := range append(a.routeNames(), allRows) {
		routes[name] = oneOrMany(schema{Enum: a.sinkNames()}, 0)
	}
	return closed(routes)
}

func paramsSchema(a Agent) schema {
	params := map[string]schema{}
	for _, g := range a.Grains {
		for i := range g.Params {
			p := &g.Params[i]
			one := scalar()
			one.Description, one.Default = p.Help, p.Format(p.Default)
			params[g.Name+"."+p.Name] = one
		}
	}
	return closed(params)
}

func onSchema(a Agent) schema {
	on := map[string]schema{}
	for _, name := range a.placedProbes() {
		on[name] = oneOrMany(schema{Type: "string"}, 1)
	}
	return closed(on)
}
