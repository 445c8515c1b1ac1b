package config

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// The kinds of file that [Schema] describes.
const (
	SchemaSettings = "settings"
	SchemaRule     = "rule"
)

// Schema is the JSON Schema (draft 2020-12) of a "settings" or a "rule" file, made of the same table that reads it; nil for
// any other kind. What it refuses is refused on reading too; not everything that is refused on reading can be said in it.
func Schema(kind string) []byte {
	var top object
	switch kind {
	case SchemaSettings:
		s := Default()
		top = section(settingsTable(&s))
		top["title"], top["description"] = "hotfolderd settings", "Settings of one node of hotfolderd."
	case SchemaRule:
		r := DefaultRule("")
		top = section(ruleTable(&r))
		top["title"], top["description"] = "hotfolderd rule", "Rule of one hotfolder of hotfolderd."
	default:
		return nil
	}
	top["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	return marshal(top)
}

type object map[string]any

func marshal(o object) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(o); err != nil {
		panic(fmt.Sprintf("config: the schema holds a value that JSON has not: %v", err))
	}
	return b.Bytes()
}

func section(keys []entry) object {
	properties, required := object{}, []string{}
	for _, e := range keys {
		properties[e.name] = e.schema()
		if e.required {
			required = append(required, e.name)
		}
	}
	o := object{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		o["required"] = required
	}
	return o
}

func (e entry) schema() object {
	var o object
	switch {
	case e.isSection():
		o = section(e.keys)
		o["type"] = []string{"object", "null"} // all its keys may be commented out
	case e.isList():
		o = object{"type": "array", "items": e.single(), "uniqueItems": true}
		if e.least > 0 {
			o["minItems"] = e.least
		}
		if e.most > 0 {
			o["maxItems"] = e.most
		}
	default:
		o = e.single()
	}
	o["description"] = e.doc
	if !e.isSection() && !e.derived {
		o["default"] = e.plainValue()
	}
	return o
}

// Patterns of what the units are read from, as far as a pattern can say it.
const (
	sizePattern     = `^[0-9]+(\.[0-9]+)?\s*([kKmMgGtT][iI]?)?[bB]?$`
	durationPattern = `^\+?([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))*$|^\+?0$`
)

// single is the schema of one value, or of one item of a list.
func (e entry) single() object {
	switch e.to.(type) {
	case *string, *[]string:
		return e.textSchema()
	case *bool:
		return object{"type": "boolean"}
	case *Duration:
		return object{"type": []string{"string", "integer"}, "pattern": durationPattern, "maximum": 0, "minimum": 0}
	case *Size:
		return object{"type": []string{"string", "integer"}, "pattern": sizePattern, "minimum": e.min}
	}
	return object{"type": "integer", "minimum": e.min, "maximum": e.max}
}

func (e entry) textSchema() object {
	o := object{"type": "string"}
	if e.words != nil {
		o["enum"] = e.words
	}
	if e.pattern != "" {
		o["pattern"] = e.pattern
	}
	return o
}
