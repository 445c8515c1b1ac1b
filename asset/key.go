package asset

import (
	"encoding/base64"
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits of a key. A component has the limit of every common file system (NAME_MAX); the whole is the limit of Linux
// (PATH_MAX less its terminator), which leaves S3's 1,024 bytes to the store that has it.
const (
	MaxComponent = 255
	MaxKey       = 4095
)

// ErrKey is wrapped by every error of [ParseKey].
var ErrKey = errors.New("not a usable name")

// Key is a slash-separated path below the root of a store, a hotfolder or the catalog: relative, clean, never empty
// except as [Root], and free of "." and "..". Its bytes are otherwise arbitrary: a key need not be UTF-8.
//
// Names from outside become a Key once, at the edge, by [ParseKey]; a conversion Key(s) is for constants only.
type Key string

// Root is the key of the tree itself. It is valid as a prefix, never as the name of a file.
const Root Key = ""

// ParseKey checks a name from outside. The error says in words what is wrong and wraps [ErrKey]. It does not repair:
// "a//b" and "/a" are refused, so that two spellings never mean one file.
func ParseKey(s string) (Key, error) {
	if why := keyFault(s); why != "" {
		return "", fmt.Errorf("%w: %s: %s", ErrKey, strconv.Quote(shorten(s)), why)
	}
	return Key(s), nil
}

func keyFault(s string) string {
	switch {
	case s == "":
		return "it is empty"
	case len(s) > MaxKey:
		return fmt.Sprintf("it is %d bytes long, %d are allowed", len(s), MaxKey)
	case strings.IndexByte(s, 0) >= 0:
		return "it holds a NUL byte"
	case s[0] == '/':
		return "it begins with a slash"
	}
	for part := range strings.SplitSeq(s, "/") {
		switch {
		case part == "":
			return "it has an empty part between two slashes or at its end"
		case part == "." || part == "..":
			return "it has a part " + strconv.Quote(part)
		case len(part) > MaxComponent:
			return fmt.Sprintf("a part of it is %d bytes long, %d are allowed", len(part), MaxComponent)
		}
	}
	return ""
}

func shorten(s string) string {
	if len(s) <= 120 {
		return s
	}
	return s[:120] + "..."
}

// Join puts elem, one or more clean components, below k. It does not check elem: both sides are keys already.
func (k Key) Join(elem Key) Key {
	switch {
	case k == Root:
		return elem
	case elem == Root:
		return k
	}
	return k + "/" + elem
}

// Base is the last component; of [Root] it is empty.
func (k Key) Base() string {
	if k == Root {
		return ""
	}
	return path.Base(string(k))
}

// Dir is everything above the last component: [Root] for a key of one component.
func (k Key) Dir() Key {
	i := strings.LastIndexByte(string(k), '/')
	if i < 0 {
		return Root
	}
	return k[:i]
}

// Ext is the last extension of the base in lower case with its dot, or empty. A leading dot is no extension.
func (k Key) Ext() string {
	base := strings.TrimLeft(k.Base(), ".")
	return strings.ToLower(path.Ext(base))
}

// Below returns the rest of k under prefix and whether k lies strictly below it. It compares whole components:
// "ab" is not below "a".
func (k Key) Below(prefix Key) (Key, bool) {
	if prefix == Root {
		return k, k != Root
	}
	rest, ok := strings.CutPrefix(string(k), string(prefix)+"/")
	return Key(rest), ok && rest != ""
}

// Quoted is the key as people and log lines show it: in double quotes, everything unprintable escaped (control
// characters, bidirectional overrides, bytes that are no UTF-8), so that a name cannot forge a line.
func (k Key) Quoted() string { return strconv.Quote(string(k)) }

// Shown is the key as a field of a log line has it: as it is where that is harmless and cannot be taken for a quotation, else Quoted.
func (k Key) Shown() string { return Shown(string(k)) }

// Shown is a name that people typed, as a user's or a folder's, as [Key.Shown] has a key.
func Shown(s string) string {
	if s == "" || !Printable(s) || strings.ContainsAny(s, `"\`) || strings.TrimSpace(s) != s {
		return strconv.Quote(s)
	}
	return s
}

// Printable reports whether a text can be shown as it is: one line of UTF-8, nothing that moves a cursor, turns the direction of writing or
// hides itself.
func Printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !strconv.IsPrint(r) })
}

const base64Mark = "base64:"

// MarshalText writes the key as it is when it is UTF-8, else as "base64:" and its bytes, so that JSON keeps it whole.
func (k Key) MarshalText() ([]byte, error) {
	s := string(k)
	if utf8.ValidString(s) && !strings.HasPrefix(s, base64Mark) {
		return []byte(s), nil
	}
	return []byte(base64Mark + base64.StdEncoding.EncodeToString([]byte(s))), nil
}

// UnmarshalText is the inverse of [Key.MarshalText]. It checks like [ParseKey], except that the empty text is [Root].
func (k *Key) UnmarshalText(b []byte) error {
	s := string(b)
	if enc, ok := strings.CutPrefix(s, base64Mark); ok {
		raw, err := base64.StdEncoding.DecodeString(enc)
		if err != nil {
			return fmt.Errorf("%w: bad base64: %v", ErrKey, err)
		}
		s = string(raw)
	}
	if s == "" {
		*k = Root
		return nil
	}
	parsed, err := ParseKey(s)
	*k = parsed
	return err
}
