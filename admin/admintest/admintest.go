// Package admintest holds answers of the HTTP against the OpenAPI document, for tests.
package admintest

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Document is an OpenAPI document that was read from JSON.
type Document struct{ tree map[string]any }

// Read reads a document. Its schemas refuse from then on what they do not name.
func Read(text []byte) (*Document, error) {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	tree, _ := v.(map[string]any)
	parts, _ := tree["components"].(map[string]any)
	if parts["schemas"] == nil {
		return nil, fmt.Errorf("a document without schemas: %.100s", text)
	}
	strict(parts["schemas"])
	return &Document{tree}, nil
}

// Operations are the methods and paths that are described, as "GET /v1/jobs/{id}".
func (d *Document) Operations() map[string]any {
	all := map[string]any{}
	for p, item := range d.tree["paths"].(map[string]any) {
		for m, op := range item.(map[string]any) {
			if m != "parameters" {
				all[strings.ToUpper(m)+" "+p] = op
			}
		}
	}
	return all
}

// Default stands for any status of an error.
const Default = "default"

// Check says in which way the body of an answer is not as it is described for this status of an operation.
func (d *Document) Check(method, path, status string, body []byte) error {
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource("api.json", d.tree); err != nil {
		return err
	}
	at := fmt.Sprintf("api.json#/paths/%s/%s/responses/%s/content/application~1json/schema",
		strings.NewReplacer("/", "~1", "{", "%7B", "}", "%7D").Replace(path), strings.ToLower(method), status)
	if status == Default {
		at = "api.json#/components/schemas/Problem"
	}
	schema, err := c.Compile(at)
	if err != nil {
		return err
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return err
	}
	return schema.Validate(v)
}

// strict refuses fields that a schema does not name.
func strict(node any) {
	switch n := node.(type) {
	case map[string]any:
		_, open := n["additionalProperties"]
		if _, named := n["properties"].(map[string]any); named && !open {
			n["additionalProperties"] = false
		}
		for _, v := range n {
			strict(v)
		}
	case []any:
		for _, v := range n {
			strict(v)
		}
	}
}
