package config

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"
	"time"

	"hotfolderd/asset"
)

func nameFault(s string) fault {
	_, f := compileName(s)
	return f
}

// compileName parses, looks at every node, and makes the names of two samples.
func compileName(s string) (*Namer, fault) {
	switch {
	case s == "":
		return nil, fault{"the name is empty", `write "products/{{.Path}}"`}
	case len(s) > maxTemplate:
		return nil, fault{fmt.Sprintf("the name has %d bytes, at most %d are allowed", len(s), maxTemplate), ""}
	}
	t, err := template.New("name").Option("missingkey=zero").Funcs(nameFuncs()).Parse(s)
	if err != nil {
		return nil, fault{plainTemplateError(err).Error(), unknownFunction(err)}
	}
	if t.Tree == nil || t.Root == nil || len(t.Templates()) > 1 {
		return nil, fault{"a name cannot define other templates", ""}
	}
	c := nameCheck{used: map[string]bool{}}
	c.list(t.Root, false)
	n := &Namer{t}
	switch {
	case c.fault != (fault{}):
		return nil, c.fault
	case !c.varies():
		return nil, fault{"every drop would get the same name", "use a field that differs, as {{.Path}}"}
	}
	if f := n.try(c.meta, c.branches); f != (fault{}) {
		return nil, f
	}
	return n, fault{}
}

func (f fault) err() error {
	switch {
	case f == fault{}:
		return nil
	case f.hint == "":
		return errors.New(f.problem)
	}
	return errors.New(f.problem + "; " + f.hint)
}

// try makes names of samples, with and without the metadata that the template asks for. It finds what only shows when a
// template runs: values that cannot be compared, verbs that do not fit, a name that climbs or ends with a slash. With
// branches a sample may take one that no drop takes, so there only the running counts.
func (n *Namer) try(meta []string, branches bool) fault {
	d := NameData{
		Path: "folder/example.jpg", Arrived: time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC), Hash: asset.Hash{1},
		Hotfolder: "inbox", Meta: map[string]string{},
	}
	without := n.t.Execute(&bounded{}, fieldsOf(d))
	for _, field := range meta {
		d.Meta[field] = "value"
	}
	if err := cmp.Or(without, n.t.Execute(&bounded{}, fieldsOf(d))); err != nil {
		return fault{plainTemplateError(err).Error(), ""}
	}
	if _, err := n.Name(d); err != nil && !branches {
		return fault{err.Error(), "the name must be a path without .. for every drop"}
	}
	return fault{}
}

// nameCheck walks a template and keeps its first fault, the fields it uses and the metadata it asks for.
type nameCheck struct {
	fault    fault
	used     map[string]bool
	meta     []string
	branches bool
}

func (c *nameCheck) bad(problem, hint string) {
	if c.fault == (fault{}) {
		c.fault = fault{problem, hint}
	}
}

func (c *nameCheck) varies() bool {
	return slices.ContainsFunc(slices.Collect(maps.Keys(c.used)), func(f string) bool { return f != "Hotfolder" })
}

func (c *nameCheck) list(l *parse.ListNode, inWith bool) {
	if l == nil {
		return
	}
	for _, n := range l.Nodes {
		c.node(n, inWith)
	}
}

// node allows what is known to end soon and to be text; inWith says that the dot is a value, not the whole drop.
func (c *nameCheck) node(n parse.Node, inWith bool) {
	switch n := n.(type) {
	case *parse.TextNode, *parse.CommentNode:
	case *parse.ActionNode:
		c.pipe(n.Pipe, inWith)
	case *parse.IfNode:
		c.branches = true
		c.pipe(n.Pipe, inWith)
		c.list(n.List, inWith)
		c.list(n.ElseList, inWith)
	case *parse.WithNode:
		c.branches = true
		c.pipe(n.Pipe, inWith)
		c.list(n.List, true)
		c.list(n.ElseList, inWith)
	default:
		word, _, _ := strings.Cut(strings.TrimPrefix(n.String(), "{{"), " ")
		c.bad(plainOrQuoted(strings.TrimRight(word, "}"))+" is not used in names", "names have fields, functions, if and with")
	}
}

func (c *nameCheck) pipe(p *parse.PipeNode, inWith bool) {
	for _, command := range p.Cmds {
		isIndex := command.Args[0].String() == "index"
		for i, arg := range command.Args {
			c.arg(arg, inWith, isIndex && i == 1)
		}
		if isIndex {
			c.index(command.Args)
		}
	}
}

func (c *nameCheck) arg(n parse.Node, inWith, indexed bool) {
	switch n := n.(type) {
	case *parse.PipeNode:
		c.pipe(n, inWith)
	case *parse.FieldNode:
		c.field(n.Ident, indexed)
	case *parse.VariableNode:
		if n.Ident[0] == "$" {
			c.field(n.Ident[1:], indexed)
		} else if len(n.Ident) > 1 {
			c.bad(n.String()+" is no field", "")
		}
	case *parse.DotNode:
		if !inWith {
			c.bad(". alone is the whole drop, not a name", "use a field, as {{.Path}}")
		}
	case *parse.IdentifierNode:
		c.function(n.Ident)
	case *parse.ChainNode:
		c.bad(plainOrQuoted(n.String())+" is no field", "")
	}
}

func (c *nameCheck) function(name string) {
	if _, own := nameFuncs()[name]; !own && !slices.Contains(builtinNames(), name) {
		c.bad("the function "+plainOrQuoted(name)+" is not used in names", "there are "+strings.Join(functionNames(), " "))
	}
}

// field checks a field by its parts: one of nameFields, and .Meta with one more.
func (c *nameCheck) field(ident []string, indexed bool) {
	path := "." + strings.Join(ident, ".")
	switch known := fieldNames(); {
	case len(ident) == 0:
		c.bad("$ alone is the whole drop, not a name", "use a field, as {{.Path}}")
	case !slices.Contains(known, ident[0]):
		hint := "there are ." + strings.Join(known, " .")
		if near := nearest(ident[0], known); near != "" {
			hint = "did you mean ." + near + "?"
		}
		c.bad("unknown field "+plainOrQuoted(path), hint)
	case ident[0] == "Meta" && len(ident) == 1 && !indexed:
		c.bad(".Meta alone is all metadata, not a name", `use one field of it, as {{.Meta.Model}} or {{index .Meta "Model"}}`)
	case ident[0] == "Meta" && len(ident) == 2:
		c.meta = append(c.meta, ident[1])
	case len(ident) > 1:
		c.bad("unknown field "+plainOrQuoted(path), "")
	}
	if len(ident) > 0 {
		c.used[ident[0]] = true
	}
}

// index is for metadata whose names are no words of a template; on a text it would give numbers.
func (c *nameCheck) index(args []parse.Node) {
	if len(args) != 3 || (args[1].String() != ".Meta" && args[1].String() != "$.Meta") {
		c.bad("index is for metadata only", `write {{index .Meta "Model"}}`)
		return
	}
	if key, ok := args[2].(*parse.StringNode); ok {
		c.meta = append(c.meta, key.Text)
	}
}

func fieldNames() []string {
	t := reflect.TypeFor[nameFields]()
	all := make([]string, t.NumField())
	for i := range all {
		all[i] = t.Field(i).Name
	}
	return all
}

func functionNames() []string {
	return append(slices.Sorted(maps.Keys(nameFuncs())), builtinNames()...)
}
