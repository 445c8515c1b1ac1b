package accounts

import (
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Entry is one user of a users file, not parsed yet.
type Entry struct {
	node yaml.Node
	file string
}

// List reads what all users files have around their users; file is its name in messages. Keys that are not known are refused.
func List(file string, data []byte) ([]Entry, error) {
	var doc struct {
		Users []yaml.Node `yaml:"users"`
	}
	err := yaml.Load(data, &doc, yaml.WithKnownFields())
	if len(strings.TrimSpace(string(data))) == 0 {
		err = errors.New("it is empty; expected users: with a list")
	}
	if err != nil {
		return nil, fmt.Errorf("users file %s: %w", file, err)
	}
	var all []Entry
	for _, n := range doc.Users {
		all = append(all, Entry{n, file})
	}
	return all, nil
}

// Load fills a struct with the user; keys that it does not have are refused.
func (e *Entry) Load(to any) error { return e.node.Load(to, yaml.WithKnownFields()) }

// Fault tells where a user is wrong.
func (e *Entry) Fault(err error) error {
	return fmt.Errorf("users file %s:%d: %w", e.file, e.node.Line, err)
}
