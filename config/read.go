package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"
)

// Limits of a file from outside. The depth is far more than any key needs; the rest is where a file is no settings any
// more.
const (
	maxFile   = 1 << 20
	maxDepth  = 16
	maxFaults = 100
)

// reader reads one file into the fields of a table and collects every fault on the way. It keeps where each value
// stood, so that faults found later have a position too.
type reader struct {
	file   string
	root   []entry
	faults Errors
	nodes  map[string]*yaml.Node // by path; only what was written
	whole  *yaml.Node
}

// read fills the fields of the table. Faults of the YAML itself end it, all others are collected.
func read(file string, data []byte, table []entry) *reader {
	r := &reader{file: file, root: table, nodes: map[string]*yaml.Node{}, whole: &yaml.Node{Line: 1, Column: 1}}
	if len(data) > maxFile {
		r.add(r.whole, "", fault{fmt.Sprintf("the file has %d bytes, more than %s", len(data), Size(maxFile)), ""})
		return r
	}
	if n := r.document(data); n != nil {
		r.whole = n
		r.section(n, "", table)
		r.missing()
	}
	return r
}

func (r *reader) missing() {
	walk(r.root, "", func(path string, e entry) {
		if e.required && !r.written(path) {
			r.add(r.whole, path, fault{"this key is needed", e.expect})
		}
	})
}

// document is the root node of the only document, or nil when there is none that can be read.
func (r *reader) document(data []byte) *yaml.Node {
	loader, err := yaml.NewLoader(bytes.NewReader(data), yaml.WithPlugin(loaderlimits.New(loaderlimits.DepthValue(maxDepth))))
	if err != nil {
		r.add(r.whole, "", fault{err.Error(), ""})
		return nil
	}
	var first, second yaml.Node
	err = loader.Load(&first)
	if errors.Is(err, io.EOF) || (err == nil && len(first.Content) == 0) {
		r.add(r.whole, "", fault{"the file is empty", "leave it away for the defaults, or write {}"})
		return nil
	}
	if err == nil {
		err = loader.Load(&second)
	}
	switch {
	case errors.Is(err, io.EOF):
		return first.Content[0]
	case err == nil:
		r.add(&second, "", fault{"a second document begins here", "one file holds one document; remove the line ---"})
	default:
		r.syntax(data, err)
	}
	return nil
}

// section reads a mapping whose keys the table knows.
func (r *reader) section(n *yaml.Node, path string, keys []entry) {
	switch {
	case !r.plain(n, path), n.Kind == yaml.ScalarNode && n.Tag == "!!null" && path != "":
		return // a section with nothing in it is all defaults
	case n.Kind != yaml.MappingNode:
		r.add(n, path, fault{"expected keys and values, got " + kindWord(n), "its keys are " + strings.Join(names(keys), ", ")})
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content) && len(r.faults) <= maxFaults; i += 2 {
		r.pair(n.Content[i], n.Content[i+1], path, keys, seen)
	}
}

func (r *reader) pair(key, value *yaml.Node, section string, keys []entry, seen map[string]int) {
	if key.Kind != yaml.ScalarNode {
		r.add(key, section, fault{"a key must be a word, not " + kindWord(key), "put a value that begins with {, [ or * in quotes"})
		return
	}
	path := below(section, plainOrQuoted(key.Value))
	if line, again := seen[key.Value]; again {
		r.add(key, path, fault{fmt.Sprintf("set twice, first on line %d", line), "keep one of them"})
		return
	}
	seen[key.Value] = key.Line
	e, known := find(keys, key.Value)
	switch {
	case !known:
		r.add(key, path, fault{"unknown key", r.meant(key.Value, section, keys)})
	case e.isSection():
		r.section(value, path, e.keys)
	default:
		if value.LineComment == "" {
			value.LineComment = key.LineComment // where the parser puts it when there is no value
		}
		r.value(value, path, e)
	}
}

// meant is the hint for an unknown key: the nearest one here, the same one in another section, or all there are.
func (r *reader) meant(word, section string, keys []entry) string {
	if word == "<<" {
		return "merging is not used here; write the keys out"
	}
	if near := nearest(word, names(keys)); near != "" {
		return "did you mean " + near + "?"
	}
	elsewhere := ""
	walk(r.root, "", func(path string, e entry) {
		if elsewhere == "" && e.name == strings.ToLower(word) && path != below(section, e.name) {
			elsewhere = path
		}
	})
	if elsewhere != "" {
		return "did you mean " + elsewhere + "?"
	}
	return "known here: " + strings.Join(names(keys), ", ")
}

// plain refuses what would make a value stand for more than what is written there: aliases, anchors and tags. Without
// them the tree is never larger than the file.
func (r *reader) plain(n *yaml.Node, path string) bool {
	switch {
	case n.Kind == yaml.AliasNode:
		r.add(n, path, fault{"*" + plainOrQuoted(n.Value) + " is an alias, which is not used here", "put the value in quotes, or write it out"})
	case n.Anchor != "":
		r.add(n, path, fault{"&" + plainOrQuoted(n.Anchor) + " is an anchor, which is not used here", "put the value in quotes, or write it out"})
	case n.Style&yaml.TaggedStyle != 0:
		r.add(n, path, fault{"it has the tag " + plainOrQuoted(n.Tag) + ", which is not used here", "put the value in quotes, or remove the tag"})
	default:
		return true
	}
	return false
}

func (r *reader) add(n *yaml.Node, path string, f fault) {
	switch {
	case len(r.faults) < maxFaults:
		r.faults = append(r.faults, Error{r.file, n.Line, n.Column, path, f.problem, f.hint})
	case len(r.faults) == maxFaults:
		r.faults = append(r.faults, Error{File: r.file, Problem: fmt.Sprintf("more than %d faults", maxFaults), Hint: "the rest is not shown"})
	}
}

// at adds a fault at the first of the paths that was written.
func (r *reader) at(f fault, paths ...string) {
	for _, p := range paths {
		if n, written := r.nodes[p]; written {
			r.add(n, p, f)
			return
		}
	}
	r.add(r.whole, paths[0], f)
}

func (r *reader) written(path string) bool { return r.nodes[path] != nil }

// kindWord says what stands there, with its article.
func kindWord(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "keys and values"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias"
	}
	switch n.Tag {
	case "!!null":
		return "nothing"
	case "!!bool":
		return "true or false"
	case "!!int", "!!float":
		return "a number"
	case "!!timestamp":
		return "a date"
	}
	return "text"
}
