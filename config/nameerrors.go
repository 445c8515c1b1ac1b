package config

import (
	"errors"
	"regexp"
	"strings"
	"text/template"
)

var (
	templatePlace   = regexp.MustCompile(`^template: name:[0-9:]+ ?|executing "name" at `)
	missingFunction = regexp.MustCompile(`function "([^"]*)" not defined`)
)

// plainTemplateError says what text/template says without where it thinks it is; the file and line are known better.
func plainTemplateError(err error) error {
	var exec template.ExecError
	if errors.As(err, &exec) && errors.Is(exec.Err, errLongName) {
		return errLongName
	}
	if errors.Is(err, errLongName) {
		return errLongName
	}
	return errors.New(plainOrQuoted(templatePlace.ReplaceAllString(err.Error(), "")))
}

func unknownFunction(err error) string {
	name := missingFunction.FindStringSubmatch(err.Error())
	if name == nil {
		return ""
	}
	if near := nearest(name[1], functionNames()); near != "" {
		return "did you mean " + near + "?"
	}
	return "there are " + strings.Join(functionNames(), " ")
}
