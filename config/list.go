package config

import (
	"fmt"
	"slices"

	"go.yaml.in/yaml/v4"
)

// list reads a list; each of its items is checked like a single value, and none may come twice. An empty one is nil.
func list[T comparable](r *reader, n *yaml.Node, path string, e entry) []T {
	if n.Kind != yaml.SequenceNode {
		r.add(n, path, fault{"expected a list, got " + kindWord(n), listHint(n)})
		return nil
	}
	switch {
	case len(n.Content) < e.least:
		r.add(n, path, fault{"the list is empty", "leave the key away for the default"})
	case e.most > 0 && len(n.Content) > e.most:
		r.add(n.Content[e.most], path, fault{fmt.Sprintf("the list has %d items, at most %d are allowed", len(n.Content), e.most), ""})
		return nil
	}
	var items []T
	for i, c := range n.Content {
		item, itemPath := new(T), fmt.Sprintf("%s[%d]", path, i)
		if !r.plain(c, itemPath) {
			continue
		}
		if f := e.read(c, item); f != (fault{}) {
			r.add(c, itemPath, f)
		} else if slices.Contains(items, *item) {
			r.add(c, itemPath, fault{plainOrQuoted(c.Value) + " is in the list twice", "keep one of them"})
		}
		items = append(items, *item)
	}
	return items
}

func listHint(n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode && n.Tag != "!!null" {
		return "write [" + quoted(n.Value) + "]"
	}
	return "an empty list is []"
}
