package config

import "strings"

// entry describes one key of a file: its meaning, where its value goes and what the value may be. Reading, checking, the
// JSON Schema and the hash of a rule set all walk the same entries, so that a key known to one is known to all.
type entry struct {
	name string
	doc  string  // for people, in the schema
	keys []entry // of a section, which has no value of its own
	to   any     // *string, *int, *int64, *bool, *Duration, *Size, *[]string or *[]int

	required bool
	derived  bool // its default is made of another key

	// What a value, or each item of a list, may be.
	words    []string // one of these
	pattern  string   // a regular expression, the same in Go and in JSON Schema
	expect   string   // what the pattern asks for, in words
	min, max int64    // numbers, nanoseconds or bytes; both 0 is no limit
	check    func(string) fault

	least, most int // items of a list; most 0 is no limit
}

// fault is what is wrong with one value and what to do about it. The zero fault is none.
type fault struct{ problem, hint string }

func (e entry) isSection() bool { return e.to == nil }

func (e entry) isList() bool {
	switch e.to.(type) {
	case *[]string, *[]int:
		return true
	}
	return false
}

func names(entries []entry) []string {
	all := make([]string, len(entries))
	for i, e := range entries {
		all[i] = e.name
	}
	return all
}

func find(entries []entry, name string) (entry, bool) {
	for _, e := range entries {
		if e.name == name {
			return e, true
		}
	}
	return entry{}, false
}

// walk calls visit for every key that has a value, in the order of the table.
func walk(entries []entry, section string, visit func(path string, e entry)) {
	for _, e := range entries {
		if path := below(section, e.name); e.isSection() {
			walk(e.keys, path, visit)
		} else {
			visit(path, e)
		}
	}
}

// below is the path of a key in a section.
func below(section, name string) string {
	return strings.TrimPrefix(section+"."+name, ".")
}
