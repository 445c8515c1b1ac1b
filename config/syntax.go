package config

import (
	"bytes"
	"errors"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"
)

var anchorWords = regexp.MustCompile(`^unknown anchor '(.*)' referenced$`)

// syntax says what the YAML parser found, with the usual slips in plain words.
func (r *reader) syntax(data []byte, err error) {
	at, problem := yaml.Node{Line: 1, Column: 1}, err.Error()
	var found *yaml.LoadError
	if errors.As(err, &found) {
		at.Line, at.Column, problem = found.Mark.Line, found.Mark.Column, found.Message
		if at.Line == 0 {
			before := data[:min(max(found.Mark.Index, 0), len(data))]
			at.Line, at.Column = 1+bytes.Count(before, []byte("\n")), len(before)-bytes.LastIndexByte(before, '\n')
		}
	}
	lines := bytes.Split(data, []byte("\n"))
	line := string(lines[min(max(at.Line, 1), len(lines))-1])
	if name := anchorWords.FindStringSubmatch(problem); name != nil {
		problem = "*" + name[1] + " is an alias, which is not used here"
	}
	r.add(&at, "", fault{plainOrQuoted(problem), syntaxHint(line)})
}

var unquoted = regexp.MustCompile("(:[ \t]+|[-,\\[][ \t]*)[{*@`%&!|>]")

func syntaxHint(line string) string {
	indent := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
	switch {
	case strings.Contains(indent, "\t"):
		return "indent with spaces, not with tabs"
	case unquoted.MatchString(line):
		return `put a value that begins with { * @ % & or ! in quotes, as "**/*.jpg"`
	}
	return ""
}
