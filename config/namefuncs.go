package config

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"text/template"
)

// nameFuncs are the functions of a name. They keep a metaValue one, so that default still sees that a field is missing
// after lower or trim.
func nameFuncs() template.FuncMap {
	return template.FuncMap{
		"lower":   func(v any) (any, error) { return mapText(v, strings.ToLower) },
		"upper":   func(v any) (any, error) { return mapText(v, strings.ToUpper) },
		"trim":    func(v any) (any, error) { return mapText(v, strings.TrimSpace) },
		"replace": replace,
		"default": orDefault,
		"printf":  boundedPrintf,
	}
}

// builtinNames are the functions of text/template that a name may use. The others write for other languages, call
// what they are given, or are of no use here.
func builtinNames() []string {
	return []string{"index", "eq", "ne", "lt", "le", "gt", "ge", "and", "or", "not"}
}

func mapText(v any, change func(string) string) (any, error) {
	switch v := v.(type) {
	case metaValue:
		return metaValue(change(string(v))), nil
	case string:
		return change(v), nil
	}
	return nil, fmt.Errorf("expected text, got %v", v)
}

func replace(old, replacement string, v any) (any, error) {
	if old == "" {
		return nil, errors.New("replace needs a text to look for")
	}
	if text := fmt.Sprint(v); len(text)+strings.Count(text, old)*len(replacement) > maxOutput {
		return nil, errLongName
	}
	return mapText(v, func(s string) string { return strings.ReplaceAll(s, old, replacement) })
}

func orDefault(instead string, v any) (any, error) {
	switch s := v.(type) {
	case metaValue:
		if s == "" {
			return instead, nil
		}
	case string:
		if s == "" {
			return instead, nil
		}
	default:
		return nil, fmt.Errorf("expected text, got %v", v)
	}
	return v, nil
}

var wideVerb = regexp.MustCompile(`%[^a-zA-Z%]*(\*|[0-9]{4})`)

// boundedPrintf is fmt.Sprintf without widths that would fill the memory, and without its marks of a wrong verb.
func boundedPrintf(format string, values ...any) (string, error) {
	if wideVerb.MatchString(format) {
		return "", fmt.Errorf("printf %s: a width is at most 999", quoted(format))
	}
	marked := strings.Contains(fmt.Sprint(values...), "%!")
	s := fmt.Sprintf(format, values...)
	switch {
	case len(s) > maxOutput:
		return "", errLongName
	case !marked && strings.Contains(s, "%!"):
		return "", fmt.Errorf("printf %s does not fit its values: it gives %s", quoted(format), quoted(s))
	}
	return s, nil
}
