package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"hotfolderd/asset"
)

// show is a foreign name as people see it: as it is where that is harmless and unmistakable, else quoted.
func show[S ~string](name S) string { return asset.Key(name).Shown() }

var harmlessWord = regexp.MustCompile(`^[A-Za-z0-9_./@%+=:,-]+$`)

// shellWord is a foreign name as one word of a shell; what must not be printed is escaped as bash reads it.
func shellWord(s string) string {
	switch {
	case harmlessWord.MatchString(s):
		return s
	case asset.Printable(s):
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	quoted := strconv.Quote(s)
	return "$'" + strings.ReplaceAll(quoted[1:len(quoted)-1], "'", `\'`) + "'"
}

// bytesText is a size for people.
func bytesText(n int64) string {
	units := []string{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}
	if n < 1024 {
		return fmt.Sprintf("%d bytes", n)
	}
	x, unit := float64(n)/1024, units[0]
	for _, u := range units[1:] {
		if x < 1024 {
			break
		}
		x, unit = x/1024, u
	}
	return fmt.Sprintf("%.1f %s", x, unit)
}

// span is a duration for people: never more digits than mean something.
func span(d time.Duration) string {
	switch {
	case d >= time.Minute:
		return d.Round(time.Second).String()
	case d >= time.Second:
		return d.Round(100 * time.Millisecond).String()
	case d >= time.Millisecond:
		return d.Round(time.Millisecond).String()
	}
	return d.Round(time.Microsecond).String()
}

func stamp(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05.000") }

func nameAndVersion(name asset.Key, number int) string {
	return fmt.Sprintf("%s version %d", show(name), number)
}

// printJSON writes the one JSON value of a command.
func (a *app) printJSON(v any) error {
	e := json.NewEncoder(a.out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

func (a *app) printf(format string, args ...any) { fmt.Fprintf(a.out, format, args...) }
