package cluster

import (
	"fmt"
	"slices"
	"strings"
)

// Drift says in sentences which members have other rules, another version of the program or another of the common settings than
// most. Without a majority it says who has what. Empty: all are alike.
func (v View) Drift() []string {
	all := drift(v.Members, "rules", func(m Member) string { return m.Rules })
	all = append(all, drift(v.Members, "version", func(m Member) string { return m.Version })...)
	for _, name := range commonSettings(v.Members) {
		all = append(all, drift(v.Members, name, func(m Member) string { return m.Settings[name] })...)
	}
	return all
}

// commonSettings are the names of the settings that every member tells of; during an update to another version some are known to
// some only, which is no difference.
func commonSettings(members []Member) []string {
	var names []string
	if len(members) == 0 {
		return nil
	}
	for name := range members[0].Settings {
		if !slices.ContainsFunc(members, func(m Member) bool { _, told := m.Settings[name]; return !told }) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func drift(members []Member, what string, of func(Member) string) []string {
	having := map[string][]string{}
	for _, m := range members {
		having[of(m)] = append(having[of(m)], m.ID)
	}
	if len(having) < 2 {
		return nil
	}
	for value, ids := range having {
		if 2*len(ids) > len(members) {
			return deviations(members, what, value, of)
		}
	}
	var groups []string
	for value, ids := range having {
		groups = append(groups, fmt.Sprintf("%s %s on %s", what, shown(value), strings.Join(ids, ", ")))
	}
	slices.Sort(groups)
	return []string{"The nodes differ, and none is in the majority: " + strings.Join(groups, "; ") + "."}
}

func deviations(members []Member, what, most string, of func(Member) string) []string {
	var sentences []string
	for _, m := range members {
		if of(m) != most {
			sentences = append(sentences, fmt.Sprintf("Node %s has %s %s, most have %s.", m.ID, what, shown(of(m)), shown(most)))
		}
	}
	return sentences
}

// shown is as much of a hash as people need.
func shown(value string) string {
	switch {
	case value == "":
		return "(none)"
	case len(value) >= 32 && !strings.ContainsAny(value, ".-"):
		return value[:12]
	}
	return value
}
