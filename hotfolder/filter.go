package hotfolder

import (
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"hotfolderd/asset"
	"hotfolderd/config"
)

// Filter decides by name alone whether a file can be a drop of a hotfolder. Safe for concurrent use.
type Filter struct {
	include, exclude []string
	system           bool
	marker           string // pattern of done markers; empty when the rule has none
}

// NewFilter makes the filter of a rule. The rule's patterns are valid; package config has checked them.
func NewFilter(r config.Rule) *Filter {
	return &Filter{
		include: includes(r.Match.Include),
		exclude: lowered(r.Match.Exclude),
		system:  r.Match.System != "import",
		marker:  r.Complete.DoneMarker,
	}
}

// includes is the list of patterns to ask for; nil when one of them matches everything.
func includes(patterns []string) []string {
	for _, p := range patterns {
		if p == "**" || p == "**/*" || p == "*" {
			return nil
		}
	}
	return lowered(patterns)
}

func lowered(patterns []string) []string {
	out := make([]string, len(patterns))
	for i, p := range patterns {
		out[i] = strings.ToLower(p)
	}
	return out
}

// Ignored says in words why the key, relative to the hotfolder, is never a drop; "" when it may be one.
func (f *Filter) Ignored(key asset.Key) string {
	if f.system {
		for part := range strings.SplitSeq(string(key), "/") {
			if why := systemName(part); why != "" {
				return why
			}
		}
	}
	return f.byRule(key)
}

// EnterFolder reports whether a folder can hold drops.
func (f *Filter) EnterFolder(key asset.Key) bool {
	return !f.system || systemName(key.Base()) == ""
}

// ignoredFile is Ignored for a file in a folder that was entered: only its own name can be a system name.
func (f *Filter) ignoredFile(key asset.Key) string {
	if f.system {
		if why := systemName(key.Base()); why != "" {
			return why
		}
	}
	return f.byRule(key)
}

func (f *Filter) byRule(key asset.Key) string {
	if f.IsMarker(key) {
		return "a done marker"
	}
	if len(f.include) == 0 && len(f.exclude) == 0 {
		return ""
	}
	lower := strings.ToLower(string(key))
	if p := firstMatch(f.exclude, lower); p != "" {
		return "excluded by match.exclude " + p
	}
	if len(f.include) > 0 && firstMatch(f.include, lower) == "" {
		return "matched by no pattern of match.include"
	}
	return ""
}

// firstMatch returns the first pattern that matches. A pattern without a slash is matched against the last component, in
// every folder, as people expect of "*.jpg".
func firstMatch(patterns []string, lower string) string {
	base := lower[strings.LastIndexByte(lower, '/')+1:]
	for _, p := range patterns {
		subject := lower
		if !strings.Contains(p, "/") {
			subject = base
		}
		if doublestar.MatchUnvalidated(p, subject) {
			return p
		}
	}
	return ""
}

// IsMarker reports whether the key names a done marker of the rule.
func (f *Filter) IsMarker(key asset.Key) bool {
	_, ok := f.markedBy(key)
	return ok
}

// Marker is the key of the marker that makes the drop complete; "" when the rule has no markers.
func (f *Filter) Marker(key asset.Key) asset.Key {
	if f.marker == "" {
		return ""
	}
	return key.Dir().Join(asset.Key(strings.ReplaceAll(f.marker, "{name}", key.Base())))
}

// markedBy returns the key that a marker stands for. A marker for a whole folder stands for the folder.
func (f *Filter) markedBy(key asset.Key) (asset.Key, bool) {
	if f.marker == "" {
		return "", false
	}
	before, after, named := strings.Cut(f.marker, "{name}")
	base := key.Base()
	if !named {
		return key.Dir(), base == f.marker
	}
	rest, ok := strings.CutPrefix(base, before)
	if !ok || !strings.HasSuffix(rest, after) || len(rest) == len(after) {
		return "", false
	}
	return key.Dir().Join(asset.Key(strings.TrimSuffix(rest, after))), true
}
