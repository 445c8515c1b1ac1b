package config

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// Limits of a pattern: one that is longer or branches more is a mistake, and would make every match slow.
const (
	maxPattern      = 1024
	maxAlternatives = 1000
)

// glob checks one pattern of [Match] and catches what is written in another language's way, which would be valid and
// match nothing.
func glob(s string) fault {
	switch {
	case s == "":
		return fault{"the pattern is empty", "write **/* for everything"}
	case looksLikeRegexp(s):
		return fault{quoted(s) + " looks like a regular expression", "a glob is expected, as **/*.{jpg,png}"}
	case !doublestar.ValidatePattern(s):
		return fault{quoted(s) + " is no glob", "brackets and braces must be closed; a literal one is written with a backslash before it"}
	case len(s) > maxPattern:
		return fault{fmt.Sprintf("the pattern has %d bytes, at most %d are allowed", len(s), maxPattern), ""}
	case alternatives(s) > maxAlternatives:
		return fault{fmt.Sprintf("the pattern has more than %d alternatives", maxAlternatives), "write it as several patterns"}
	}
	return neverMatches(s)
}

var regexpSigns = regexp.MustCompile(`^\^|\$$|^\.\*$|\.\+|\]\+|\\[.dwsbDWS]|\([^)]*\|[^)]*\)|\(\?`)

func looksLikeRegexp(s string) bool { return regexpSigns.MatchString(s) }

var (
	severalGlobs = regexp.MustCompile(`[,;|] ?\*`)
	backslash    = regexp.MustCompile(`\\[^][{}*?\\,!^-]`)
)

// neverMatches catches globs that are valid, but never match a path below a hotfolder.
func neverMatches(s string) fault {
	for part := range strings.SplitSeq(s, "/") {
		switch {
		case part == "." || part == "..":
			return fault{quoted(s) + " has a part " + quoted(part) + ", which no path has", "patterns begin at the hotfolder: write **/*.jpg"}
		case strings.Contains(part, "**") && strings.Trim(part, "*{},") != "" && !strings.ContainsAny(part, "{}[]"):
			return fault{"** in " + quoted(s) + " does not stand alone between slashes, so it means *", "write **/" + strings.ReplaceAll(part, "**", "*")}
		}
	}
	switch {
	case strings.HasPrefix(s, "/"):
		return fault{quoted(s) + " begins with a slash, which no path does", "write " + quoted(strings.TrimLeft(s, "/"))}
	case strings.HasSuffix(s, "/"):
		return fault{quoted(s) + " ends with a slash and matches no file", "write " + quoted(s+"**")}
	case strings.HasPrefix(s, "!"):
		return fault{quoted(s) + " begins with !", "put it under match.exclude without the !"}
	case severalGlobs.MatchString(outsideBraces(s)):
		return fault{quoted(s) + " looks like several patterns in one", "write each as its own item of the list"}
	case backslash.MatchString(s):
		return fault{quoted(s) + " has a backslash", "folders are divided by /"}
	}
	return fault{}
}

// outsideBraces is the pattern without what stands in {}.
func outsideBraces(s string) string {
	var b strings.Builder
	depth := 0
	for _, c := range []byte(s) {
		switch {
		case c == '{':
			depth++
		case c == '}':
			depth--
		case depth == 0:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// alternatives is at least the number of ways through the braces of a pattern.
func alternatives(s string) int {
	all, group := 1, 1
	for _, c := range []byte(s) {
		switch c {
		case ',':
			group++
		case '}':
			all, group = all*group, 1
		}
		if all > maxAlternatives {
			return all
		}
	}
	return all * group
}

const markerName = "{name}"

// doneMarker accepts {name} once with something around it, or a plain file name.
func doneMarker(s string) fault {
	hint := `write "` + markerName + `.done" for a marker of each file, or ".ready" for one of the folder`
	rest := strings.Replace(s, markerName, "", 1)
	switch {
	case s == "":
		return fault{}
	case strings.Contains(s, "/"):
		return fault{quoted(s) + " has a slash", "a marker lies beside its drop: " + hint}
	case s == markerName:
		return fault{"the marker would be the drop itself", hint}
	case strings.ContainsAny(rest, "{}"):
		return fault{quoted(s) + " holds more than one " + markerName + " or another word in braces", hint}
	case s == "." || s == "..", strings.ContainsAny(rest, "*?"):
		return fault{quoted(s) + " is no file name", hint}
	case len(s) > 200:
		return fault{fmt.Sprintf("the marker has %d bytes, at most 200 are allowed", len(s)), ""}
	}
	return fault{}
}
