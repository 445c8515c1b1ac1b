package config

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"go.yaml.in/yaml/v4"
)

// maxText is the longest text of one value: a path cannot be longer.
const maxText = 4095

// value reads one key's value into its field and checks it alone.
func (r *reader) value(n *yaml.Node, path string, e entry) {
	if !r.plain(n, path) {
		return
	}
	r.nodes[path] = n
	switch to := e.to.(type) {
	case *[]string:
		*to = list[string](r, n, path, e)
	case *[]int:
		*to = list[int](r, n, path, e)
	default:
		if f := e.read(n, e.to); f != (fault{}) {
			r.add(n, path, f)
		}
	}
}

// read reads one scalar into to and checks it.
func (e entry) read(n *yaml.Node, to any) fault {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		return fault{"expected " + typeWord(to) + ", got " + kindWord(n), scalarHint(n, to)}
	}
	switch to := to.(type) {
	case *string:
		return e.text(n, to)
	case *bool:
		return truth(n, to)
	case *Duration:
		return e.duration(n, to)
	case *Size:
		return e.size(n, to)
	case *int:
		return whole(e, n, to)
	case *int64:
		return whole(e, n, to)
	}
	panic(fmt.Sprintf("config: the table has a %T for %s", to, e.name))
}

func scalarHint(n *yaml.Node, to any) string {
	_, text := to.(*string)
	switch {
	case text && n.Kind == yaml.MappingNode:
		return `put a value that begins with { in quotes, as "{{.Path}}"`
	case text && n.Kind == yaml.ScalarNode && strings.HasPrefix(n.LineComment, "#") && !strings.HasPrefix(n.LineComment, "# "):
		return "put a value that begins with # in quotes"
	case n.Kind == yaml.ScalarNode:
		return "leave the key away for the default"
	}
	return ""
}

func (e entry) text(n *yaml.Node, to *string) fault {
	s := n.Value
	switch {
	case n.Tag != "!!str":
		return fault{"expected text, got " + kindWord(n), "put it in quotes: " + quoted(s)}
	case len(s) > maxText:
		return fault{fmt.Sprintf("the text has %d bytes, at most %d are allowed", len(s), maxText), ""}
	case strings.ContainsFunc(s, unicode.IsControl):
		return fault{quoted(s) + " holds a control character", "write it on one line"}
	}
	if f := e.word(s); f != (fault{}) {
		return f
	}
	*to = s
	return fault{}
}

// word checks a text by the table: one of its words, its pattern, its own check.
func (e entry) word(s string) fault {
	switch {
	case e.words != nil && !slices.Contains(e.words, s):
		f := fault{problem: quoted(s) + " is not " + oneOf(e.words)}
		if near := nearest(s, e.words); near != "" {
			f.hint = "did you mean " + near + "?"
		}
		return f
	case e.pattern != "" && !regexp.MustCompile(e.pattern).MatchString(s):
		return fault{quoted(s) + " cannot be used", e.expect}
	case e.check != nil:
		return e.check(s)
	}
	return fault{}
}

func truth(n *yaml.Node, to *bool) fault {
	if n.Tag != "!!bool" {
		return fault{"expected true or false, got " + quoted(n.Value), ""}
	}
	*to = strings.EqualFold(n.Value, "true")
	return fault{}
}

func whole[T int | int64](e entry, n *yaml.Node, to *T) fault {
	v, err := strconv.ParseInt(strings.ReplaceAll(n.Value, "_", ""), 10, strconv.IntSize)
	if n.Tag != "!!int" || err != nil {
		return fault{"expected a whole number, got " + quoted(n.Value), e.limits(plainNumber)}
	}
	f := e.between(v, plainNumber)
	if f == (fault{}) {
		*to = T(v)
	}
	return f
}

func (e entry) duration(n *yaml.Node, to *Duration) fault {
	d, err := ParseDuration(n.Value)
	switch {
	case err != nil && (n.Tag == "!!int" || n.Tag == "!!float"):
		return fault{"the duration " + quoted(n.Value) + " has no unit", "write " + shorten(n.Value) + "s for seconds"}
	case err != nil:
		return fault{err.Error(), ""}
	}
	f := e.between(int64(d), plainDuration)
	if f == (fault{}) {
		*to = d
	}
	return f
}

func (e entry) size(n *yaml.Node, to *Size) fault {
	v, err := ParseSize(n.Value)
	if err != nil {
		return fault{err.Error(), ""}
	}
	f := e.between(int64(v), func(v int64) string { return Size(v).String() })
	if f == (fault{}) {
		*to = v
	}
	return f
}

func (e entry) between(v int64, show func(int64) string) fault {
	if limits := e.limits(show); limits != "" && (v < e.min || v > e.max) {
		return fault{show(v) + " is out of range", limits}
	}
	return fault{}
}

func (e entry) limits(show func(int64) string) string {
	if e.min == 0 && e.max == 0 {
		return ""
	}
	return "from " + show(e.min) + " to " + show(e.max)
}

func plainNumber(v int64) string { return strconv.FormatInt(v, 10) }

// plainDuration is 24h where the standard library says 24h0m0s.
func plainDuration(v int64) string {
	s := time.Duration(v).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func typeWord(to any) string {
	switch to.(type) {
	case *string:
		return "text"
	case *bool:
		return "true or false"
	case *Duration:
		return "a duration such as 2s"
	case *Size:
		return "a size such as 2GiB"
	}
	return "a whole number"
}

// plainValue is what the entry's field holds now, as JSON and the files have it.
func (e entry) plainValue() any {
	switch to := e.to.(type) {
	case *Duration:
		return plainDuration(int64(*to))
	case *Size:
		return to.String()
	case *[]string:
		return append([]string{}, *to...)
	case *[]int:
		return append([]int{}, *to...)
	}
	return reflect.ValueOf(e.to).Elem().Interface()
}
