package admin

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"hotfolderd/asset"
)

// PutOptions are the conditions of a write. The zero value has none.
type PutOptions struct {
	IfMatch     *Tags  // the name must have these bytes; nil: no condition
	IfNoneMatch *Tags  // the name must not have these bytes; nil: no condition
	Once        string // names this very write, so that it can be sent again, to any node, and is done once; empty: it is a new one
}

// Tags are what a condition names.
type Tags struct {
	Any    bool         // "*": whatever the name has, if it has anything
	Hashes []asset.Hash // the bytes; tags that are no hash of ours are left out, since no bytes have them
	Texts  []string     // all of them as they came
}

// has reports whether the name, when there is one, has what the tags name.
func (t *Tags) has(current asset.Hash, there bool) bool {
	return there && (t.Any || slices.Contains(t.Hashes, current))
}

// Check holds the conditions against what the name has now: its bytes, and whether it is there at all. The error wraps
// [ErrCondition].
func (o PutOptions) Check(current asset.Hash, there bool) error {
	now := "the name is not there"
	if there {
		now = "the name has the bytes " + current.String()
	}
	switch {
	case o.IfMatch != nil && !o.IfMatch.has(current, there):
		return fmt.Errorf("If-Match: %w: %s", ErrCondition, now)
	case o.IfNoneMatch != nil && o.IfNoneMatch.has(current, there):
		return fmt.Errorf("If-None-Match: %w: %s", ErrCondition, now)
	}
	return nil
}

// CheckTag is Check for a file, which has a tag that is no hash.
func (o PutOptions) CheckTag(tag string, there bool) error {
	now := "there is no such file"
	if there {
		now = "the file has the tag " + tag
	}
	switch {
	case o.IfMatch != nil && !o.IfMatch.hasText(tag, there):
		return fmt.Errorf("If-Match: %w: %s", ErrCondition, now)
	case o.IfNoneMatch != nil && o.IfNoneMatch.hasText(tag, there):
		return fmt.Errorf("If-None-Match: %w: %s", ErrCondition, now)
	}
	return nil
}

func (t *Tags) hasText(tag string, there bool) bool {
	return there && (t.Any || slices.Contains(t.Texts, tag))
}

func (o PutOptions) none() bool { return o.IfMatch == nil && o.IfNoneMatch == nil }

// conditionsOf reads the conditions of a write. What cannot be read is refused: a condition that is passed over would let a
// write through that its sender did not want.
func conditionsOf(h http.Header) (o PutOptions, err error) {
	if o.IfMatch, err = tagsOf(h, "If-Match", false); err != nil {
		return o, err
	}
	if o.IfNoneMatch, err = tagsOf(h, "If-None-Match", true); err != nil {
		return o, err
	}
	if o.Once, err = onceOf(h); err != nil {
		return o, err
	}
	for _, name := range []string{"If-Modified-Since", "If-Unmodified-Since"} {
		if h.Get(name) != "" {
			return o, newProblem(http.StatusBadRequest, name+" is not used for writes: an asset is known by its ETag")
		}
	}
	return o, nil
}

// tagsOf reads a list of entity tags, or "*". A weak tag counts where the comparison is a weak one.
func tagsOf(h http.Header, name string, weak bool) (*Tags, error) {
	text := strings.TrimSpace(strings.Join(h.Values(name), ","))
	if text == "" {
		return nil, nil
	}
	if text == "*" {
		return &Tags{Any: true}, nil
	}
	t := &Tags{}
	for rest := text; ; {
		isWeak := strings.HasPrefix(rest, "W/")
		tag, after, ok := cutTag(strings.TrimPrefix(rest, "W/"))
		if !ok {
			return nil, newProblem(http.StatusBadRequest, name+` is * or a list of tags in quotes, as "0123abcd..."`)
		}
		if weak || !isWeak {
			t.Texts = append(t.Texts, tag)
			if hash, err := asset.ParseHash(tag); err == nil {
				t.Hashes = append(t.Hashes, hash)
			}
		}
		if rest = strings.TrimLeft(after, " \t,"); rest == "" {
			return t, nil
		}
	}
}

// cutTag takes one tag in quotes from the front; after it comes a comma or nothing.
func cutTag(s string) (tag, after string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		return "", "", false
	}
	tag, after, ok = strings.Cut(s[1:], `"`)
	after = strings.TrimLeft(after, " \t")
	return tag, after, ok && (after == "" || after[0] == ',')
}

// onceHeader is sent by a client that may have to repeat a write whose answer was lost.
const onceHeader = "Idempotency-Key"

var onceWord = regexp.MustCompile(`^[A-Za-z0-9_-]{8,64}$`)

// onceOf reads it, with or without quotes.
func onceOf(h http.Header) (string, error) {
	text := strings.TrimSpace(h.Get(onceHeader))
	if text == "" {
		return "", nil
	}
	if word := strings.Trim(text, `"`); onceWord.MatchString(word) {
		return word, nil
	}
	return "", newProblem(http.StatusBadRequest, onceHeader+" is 8 to 64 letters, digits, - and _, new for each write and the same when it is repeated")
}
