package asset_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"hotfolderd/asset"
)

// hostile are names that people and attackers really make; all of them are usable keys.
var hostile = []asset.Key{
	"a", "a/b/c.jpg", " ", " leading and trailing ", "...", "..a", "a..", ".hidden", "-rf", "a\\b", "C:", "con", "~",
	"new\nline", "tab\t", "\x1b]0;title\a", "\x7f", "quote\"'`", "<script>&", "%2e%2e%2f", "{{.Path}}", "$(rm)", "*?[x]",
	"\u202egpj.exe", "\u2066a\u2069", "zero\u200bwidth", "line\u2028sep", "\ufeffbom", "soft\u00adhyphen",
	"café", "cafe\u0301", "Straße", "ﬁ", "日本/語.png", "🎞️", "\xff", "\xc3\x28/\x80", "\xed\xa0\x80", "ok/\xfe\xff.jpg",
	"base64:", "base64:AAAA", "base64:/x", "BASE64:x", "\ufffd",
	asset.Key(strings.Repeat("n", asset.MaxComponent)), asset.Key(strings.Repeat("ab/", 1364) + "abc"),
}

func TestParseKey_saysInWordsWhatIsWrong(t *testing.T) {
	long := strings.Repeat("x", asset.MaxComponent+1)
	for s, want := range map[string]string{
		"":                                   "it is empty",
		"/a":                                 "it begins with a slash",
		"/":                                  "it begins with a slash",
		"a\x00b":                             "it holds a NUL byte",
		"a//b":                               "it has an empty part between two slashes or at its end",
		"a/":                                 "it has an empty part between two slashes or at its end",
		".":                                  `it has a part "."`,
		"..":                                 `it has a part ".."`,
		"../a":                               `it has a part ".."`,
		"a/../b":                             `it has a part ".."`,
		"a/b/..":                             `it has a part ".."`,
		"./a":                                `it has a part "."`,
		long:                                 "a part of it is 256 bytes long, 255 are allowed",
		"ok/" + long:                         "a part of it is 256 bytes long, 255 are allowed",
		strings.Repeat("ab/", 1364) + "abcd": "it is 4096 bytes long, 4095 are allowed",
	} {
		key, err := asset.ParseKey(s)
		if !errors.Is(err, asset.ErrKey) || key != "" {
			t.Errorf("%.40q: want ErrKey and no key, got %q, %v", s, key, err)
			continue
		}
		if !strings.HasSuffix(err.Error(), ": "+want) {
			t.Errorf("%.40q: want the words %q, got %q", s, want, err)
		}
		if len(err.Error()) > 700 || unprintable(err.Error()) != "" {
			t.Errorf("%.40q: want one short printable line, got %q", s, err)
		}
	}
}

func TestParseKey_takesEveryNameThatAFileSystemTakes(t *testing.T) {
	for _, want := range hostile {
		if got, err := asset.ParseKey(string(want)); err != nil || got != want {
			t.Errorf("%.40q: want it as it is, got %.40q, %v", want, got, err)
		}
	}
}

func TestKey_takenApart(t *testing.T) {
	for key, want := range map[asset.Key]struct {
		dir       asset.Key
		base, ext string
	}{
		asset.Root:       {"", "", ""},
		"a":              {"", "a", ""},
		"a/b":            {"a", "b", ""},
		"a/b/c.JPG":      {"a/b", "c.JPG", ".jpg"},
		"a.d/c":          {"a.d", "c", ""},
		"x.tar.GZ":       {"", "x.tar.GZ", ".gz"},
		".hidden":        {"", ".hidden", ""},
		"a/..hidden.png": {"a", "..hidden.png", ".png"},
		"...":            {"", "...", ""},
		"x.":             {"", "x.", "."},
		"a b/c d.t x":    {"a b", "c d.t x", ".t x"},
	} {
		if key.Dir() != want.dir || key.Base() != want.base || key.Ext() != want.ext {
			t.Errorf("%q: want %q, got %q %q %q", key, want, key.Dir(), key.Base(), key.Ext())
		}
	}
	for _, key := range hostile {
		if got := key.Dir().Join(asset.Key(key.Base())); got != key {
			t.Errorf("want %.40q put together again, got %.40q", key, got)
		}
	}
}

func TestKey_joinWithTheRootChangesNothing(t *testing.T) {
	for _, c := range []struct{ a, b, want asset.Key }{
		{"", "", ""}, {"a", "", "a"}, {"", "b", "b"}, {"a", "b", "a/b"}, {"a/b", "c/d", "a/b/c/d"},
	} {
		if got := c.a.Join(c.b); got != c.want {
			t.Errorf("%q and %q: want %q, got %q", c.a, c.b, c.want, got)
		}
	}
}

func TestBelow_comparesWholeComponents(t *testing.T) {
	for _, c := range []struct {
		key, prefix, rest asset.Key
		ok                bool
	}{
		{"a/b", "a", "b", true},
		{"a/b/c", "a/b", "c", true},
		{"a/b/c", "a", "b/c", true},
		{"a", asset.Root, "a", true},
		{"ab", "a", "", false},
		{"a", "a", "", false},
		{"a", "a/b", "", false},
		{asset.Root, asset.Root, "", false},
		{"b/a", "a", "", false},
		{asset.Root, "a", "", false},
		{"A/b", "a", "", false},
	} {
		rest, ok := c.key.Below(c.prefix)
		if ok != c.ok || ok && rest != c.rest {
			t.Errorf("%q below %q: want %q %v, got %q %v", c.key, c.prefix, c.rest, c.ok, rest, ok)
		}
	}
	for _, key := range hostile {
		if rest, ok := asset.Key("in").Join(key).Below("in"); !ok || rest != key {
			t.Errorf("want %.40q below its prefix, got %.40q %v", key, rest, ok)
		}
	}
}

// unprintable returns what could drive a terminal, forge a line or turn the reading direction.
func unprintable(s string) string {
	for i, r := range s {
		if r == utf8.RuneError && !strings.HasPrefix(s[i:], string(utf8.RuneError)) || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) {
			return s[i:]
		}
	}
	return ""
}

func TestQuoted_holdsNothingThatForgesALine(t *testing.T) {
	for _, key := range hostile {
		got := key.Quoted()
		if bad := unprintable(got); bad != "" {
			t.Errorf("%q: want only printable characters, got %q", key, bad)
		}
		if back, err := strconv.Unquote(got); err != nil || back != string(key) {
			t.Errorf("%q: want a quotation that can be read again, got %s", key, got)
		}
	}
}

func TestShown_isBareWhereThatIsHarmless(t *testing.T) {
	for _, key := range []asset.Key{"a.jpg", "products/A 1 (2).jpg", "größe/日本.jpg", "it's=fine"} {
		if got := key.Shown(); got != string(key) {
			t.Errorf("%q: want it bare, got %s", key, got)
		}
	}
	for _, key := range append([]asset.Key{`"a"`, `a\b`, " a", "a ", ""}, hostile...) {
		got := key.Shown()
		if bad := unprintable(got); bad != "" {
			t.Errorf("%q: want only printable characters, got %q", key, bad)
		}
		if back, err := strconv.Unquote(got); got != string(key) && (err != nil || back != string(key)) {
			t.Errorf("%q: want it bare or a quotation of it, got %s", key, got)
		}
	}
}

func FuzzParseKey(f *testing.F) {
	for _, key := range hostile {
		f.Add(string(key))
	}
	for _, s := range []string{"", "/", "..", "a/../b", "a//b", "a\x00", "base64:Li4="} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var read asset.Key
		if err := read.UnmarshalText([]byte(s)); err == nil && read != asset.Root {
			holdsUp(t, read) // whatever a document holds, what comes out is a key
		}
		key, err := asset.ParseKey(s)
		if err != nil {
			if !errors.Is(err, asset.ErrKey) || unprintable(err.Error()) != "" {
				t.Fatalf("want ErrKey on one printable line, got %q", err)
			}
			return
		}
		if string(key) != s {
			t.Fatalf("want the bytes as they are, got %q", key)
		}
		holdsUp(t, key)
	})
}

// holdsUp checks what is true of every key.
func holdsUp(t *testing.T, key asset.Key) {
	t.Helper()
	if len(key) > asset.MaxKey || strings.ContainsRune(string(key), 0) {
		t.Fatalf("want a bounded key without NUL, got %q", key)
	}
	parts := strings.Split(string(key), "/")
	for _, bad := range []string{"", ".", ".."} {
		if slices.Contains(parts, bad) {
			t.Fatalf("want no part %q, got %q", bad, key)
		}
	}
	text, err := key.MarshalText()
	var back asset.Key
	if err != nil || !utf8.Valid(text) || back.UnmarshalText(text) != nil || back != key {
		t.Fatalf("text %q: want %q again, got %q", text, key, back)
	}
	doc, err := json.Marshal(map[string]asset.Key{"key": key})
	var got map[string]asset.Key
	if err != nil || bytes.ContainsRune(doc, '\n') || json.Unmarshal(doc, &got) != nil || got["key"] != key {
		t.Fatalf("JSON %q: want %q again on one line, got %q", doc, key, got["key"])
	}
	if bad := unprintable(key.Quoted()); bad != "" {
		t.Fatalf("want a printable quotation, got %q", bad)
	}
	if key.Dir().Join(asset.Key(key.Base())) != key {
		t.Fatalf("want %q put together again from %q and %q", key, key.Dir(), key.Base())
	}
}
