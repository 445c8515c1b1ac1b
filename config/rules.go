package config

import (
	"errors"
	"maps"
	"path"
	"slices"
	"strings"
)

// IsRuleFile reports whether a file of this name, without its folder, holds a rule: *.yaml and *.yml, not hidden.
func IsRuleFile(name string) bool {
	ext := path.Ext(name)
	return !strings.HasPrefix(name, ".") && (ext == ".yaml" || ext == ".yml")
}

// ReadRules reads a rule set from the texts of its files, in the order of their names, which are also the names in messages.
// No text at all is the one hotfolder inbox. The error is an [Errors] with every fault of every file; only when no file has
// one are the rules held against each other. Then the rules are not to be used.
func ReadRules(texts map[string]string) ([]Rule, error) {
	if len(texts) == 0 {
		return []Rule{DefaultRule("inbox")}, nil
	}
	var rules []Rule
	var faults Errors
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		rule, err := ParseRule(name, []byte(texts[name]))
		var more Errors
		if errors.As(err, &more) {
			faults = append(faults, more...)
			continue
		}
		rules = append(rules, rule)
	}
	if len(faults) > 0 {
		return nil, faults
	}
	return rules, CheckSet(rules)
}
