package admin

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"hotfolderd/asset"
)

// Visible is text that somebody else wrote, fit to be shown: what cannot be seen (control characters, bidirectional
// overrides, line ends, bytes that are no UTF-8) is written as an escape. Markup is the template's business.
func Visible(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case strconv.IsPrint(r):
			b.WriteRune(r)
		default:
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
		i += n
	}
	return b.String()
}

// sentence is what a problem says, as it stands by itself on a page: problems begin with a small letter, since they are mostly told behind
// something else. A letter alone is a name.
func sentence(s string) string {
	word, _, _ := strings.Cut(s, " ")
	first, n := utf8.DecodeRuneInString(s)
	if len(word) > n && !strings.ContainsFunc(word, func(r rune) bool { return !unicode.IsLetter(r) && r != ',' && r != '\'' }) {
		s = string(unicode.ToUpper(first)) + s[n:]
	}
	if s != "" && !strings.ContainsAny(s[len(s)-1:], ".!?:") {
		s += "."
	}
	return s
}

// shownName is visible for a name, where a backslash of its own must not look like an escape.
func shownName(s string) string { return Visible(strings.ReplaceAll(s, `\`, `\\`)) }

// fileName is a name that a browser may save under: what cannot be seen becomes an underscore.
func fileName(s string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !strconv.IsPrint(r) || r == '"' || r == '\\' {
			return '_'
		}
		return r
	}, s)
}

// assetURL keeps every byte of the name; the slashes stay, so that it can be read.
func assetURL(name asset.Key) string { return assetsPath + escaped(name) }

// assetPageURL is the page about a name.
func assetPageURL(name asset.Key) string { return assetPages + escaped(name) }

func escaped(name asset.Key) string {
	parts := strings.Split(string(name), "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return strings.Join(parts, "/")
}

// span is a duration as people say it: two figures at most.
func span(d time.Duration) string {
	switch {
	case d <= 0:
		return "0 s"
	case d < time.Millisecond:
		return "under 1 ms"
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 10*time.Second:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", d.Seconds()), ".0") + " s"
	case d < time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

// Times are the server's; the script shows the reader's.
func clock(t time.Time) string {
	if time.Since(t) > 20*time.Hour {
		return t.Local().Format("2 Jan 15:04")
	}
	return t.Local().Format("15:04:05")
}

func date(t time.Time) string { return t.Local().Format("Mon 2 Jan 2006 15:04:05 MST") }

func rfc(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// bytesOf is a size with a unit of a thousand, as file managers and cameras show it.
func bytesOf(n int64) string {
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	f := float64(n)
	for _, unit := range []string{"kB", "MB", "GB", "TB"} {
		if f /= 1000; f < 999.5 {
			return strconv.FormatFloat(f, 'g', 3, 64) + " " + unit
		}
	}
	return fmt.Sprintf("%.0f TB", f)
}

// count groups the digits of a number, with a narrow space.
func count[N int | uint64](n N) string {
	s := strconv.FormatUint(uint64(max(n, 0)), 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "\u202f" + s[i:]
	}
	return s
}
