package config

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Error is one fault of a settings or rule file.
type Error struct {
	File    string // as the caller named it
	Line    int    // from 1; 0 when the fault belongs to the whole file
	Column  int    // from 1
	Path    string // the key with its sections, e.g. match.max_size; empty for the whole file
	Problem string // what is wrong
	Hint    string // what to do about it; may be empty
}

// Error is one line: products.yaml:7:3: match.max_sise: unknown key; did you mean max_size?
func (e Error) Error() string {
	var b strings.Builder
	if e.File != "" {
		b.WriteString(plainOrQuoted(e.File))
		if e.Line > 0 {
			b.WriteString(":" + strconv.Itoa(e.Line) + ":" + strconv.Itoa(max(e.Column, 1)))
		}
		b.WriteString(": ")
	}
	if e.Path != "" {
		b.WriteString(e.Path + ": ")
	}
	b.WriteString(e.Problem)
	if e.Hint != "" {
		b.WriteString("; " + e.Hint)
	}
	return b.String()
}

// Errors are all faults of one file or rule set, in the order of the file. It is never empty.
type Errors []Error

// Error has one line for each fault.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, one := range e {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "\n")
}

// orNil is the error of a file with these faults; a typed nil in an error would not be nil.
func (e Errors) orNil() error {
	if len(e) == 0 {
		return nil
	}
	return e
}

// plainOrQuoted keeps a foreign word on its line: quoted when it holds anything unprintable, cut when it is long.
func plainOrQuoted(s string) string {
	s = shorten(s)
	if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return strconv.Quote(s)
	}
	return s
}

// quoted is a foreign value as a message shows it.
func quoted(s string) string { return strconv.Quote(shorten(s)) }

func shorten(s string) string {
	if len(s) <= 200 {
		return s
	}
	return s[:200] + "..."
}
