package config

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"

	"hotfolderd/asset"
)

// CheckSet checks what no rule can tell alone: every hotfolder has its own name and its own tree, and none lies in a tree
// that the program owns. The error is an [Errors] that names the files of both sides.
func CheckSet(rules []Rule) error {
	var faults Errors
	for i, r := range rules {
		if f := rulePath(r.Path); f != (fault{}) {
			faults = append(faults, Error{File: r.File, Path: "path", Problem: f.problem, Hint: f.hint})
		}
		for _, other := range rules[:i] {
			faults = append(faults, clash(r, other)...)
		}
	}
	return faults.orNil()
}

func clash(r, other Rule) Errors {
	var faults Errors
	from := other.origin()
	if r.Hotfolder == other.Hotfolder {
		faults = append(faults, Error{
			File: r.File, Path: "hotfolder", Problem: quoted(r.Hotfolder) + " is also the name in " + from,
			Hint: "every hotfolder needs its own name",
		})
	}
	if how := overlap(r.Path, other.Path); how != "" {
		faults = append(faults, Error{
			File: r.File, Path: "path", Problem: fmt.Sprintf("%s %s %s, the path in %s", quoted(r.Path), how, quoted(other.Path), from),
			Hint: "each drop would belong to two hotfolders; give them separate folders",
		})
	}
	return faults
}

// origin is the rule's file for a message.
func (r Rule) origin() string {
	if r.File == "" {
		return "the rule of hotfolder " + quoted(r.Hotfolder)
	}
	return plainOrQuoted(r.File)
}

// overlap says how two paths share files, or nothing. Case does not matter, because on some shares it does
// not; in S3 it always does.
func overlap(a, b string) string {
	treeA, a := tree(a)
	treeB, b := tree(b)
	_, below := asset.Key(a).Below(asset.Key(b))
	_, above := asset.Key(b).Below(asset.Key(a))
	switch {
	case treeA != treeB:
		return ""
	case a == b:
		return "is the same as"
	case below:
		return "lies below"
	case above:
		return "holds"
	}
	return ""
}

// tree divides a path into the store it lies in and the folder there. The store that holds the work area has no name here,
// so a URL that leads into it cannot be seen; whoever opens both sees it.
func tree(s string) (store, folder string) {
	u, err := url.Parse(s)
	if err != nil || !strings.Contains(s, "://") {
		return "", strings.ToLower(s)
	}
	query := u.Query()
	host := u.Host
	if u.Scheme == "file" {
		host = ""
	}
	clean := strings.TrimPrefix(path.Clean("/"+u.Path), "/")
	if u.Scheme != "s3" {
		clean = strings.ToLower(clean)
	}
	return u.Scheme + "://" + host + "?" + query.Get("endpoint"), clean
}

// RulesHash names a rule set by its resolved values: the same for the same rules in any order, from any files, however
// they were written.
func RulesHash(rules []Rule) string {
	each := make([]string, len(rules))
	for i, r := range rules {
		each[i] = r.canonical()
	}
	slices.Sort(each)
	sum := sha256.Sum256([]byte(strings.Join(each, "\n")))
	return hex.EncodeToString(sum[:])
}

// canonical is the rule as JSON with every key of the table, in its order.
func (r Rule) canonical() string {
	var values []any
	walk(ruleTable(&r), "", func(path string, e entry) { values = append(values, path, e.plainValue()) })
	text, err := json.Marshal(values)
	if err != nil {
		panic(fmt.Sprintf("config: the table holds a value that JSON has not: %v", err))
	}
	return string(text)
}
