package s3

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"hotfolderd/asset"
)

// Private is the folder below the root that belongs to the store. It is never listed.
const Private asset.Key = ".hotfolderd"

const maxName = 1024 // bytes, of every S3 server

// name is what a key is called in the bucket.
func (s *Store) name(key asset.Key) string { return s.at.prefix + string(key) }

// below is what all names below a key begin with.
func (s *Store) below(key asset.Key) string {
	if key == asset.Root {
		return s.at.prefix
	}
	return s.name(key) + "/"
}

// newName is the name of an object that is to be written. It wraps [asset.ErrKey] when the server would not give it back as it is.
func (s *Store) newName(key asset.Key) (string, error) {
	if s.readOnly {
		return "", errReadOnly
	}
	if key == asset.Root {
		return "", fmt.Errorf("%w: the root is no object", asset.ErrKey)
	}
	name := s.name(key)
	if err := storable(name); err != nil {
		return "", err
	}
	return name, nil
}

// Storable tells why nothing can be stored under a key; the error wraps [asset.ErrKey]. Stat says of such a key only that nothing is
// there.
func (s *Store) Storable(key asset.Key) error { return storable(s.name(key)) }

var errReadOnly = errors.New("the store was opened for reading only")

// storable says why a name would not be listed again as it was written, or not be taken at all.
func storable(name string) error {
	why := ""
	switch {
	case len(name) > maxName:
		why = fmt.Sprintf("with its prefix it is %d bytes long; a bucket takes %d", len(name), maxName)
	case !utf8.ValidString(name):
		why = "it is no UTF-8, and a bucket takes nothing else"
	case strings.IndexFunc(name, unlistable) >= 0:
		why = "it holds a control character that a bucket cannot list"
	case strings.TrimSpace(name) == "":
		why = "it holds nothing but space"
	case dotted(name):
		why = `it has a part "." or ".." between backslashes, which some servers take for slashes`
	}
	if why == "" {
		return nil
	}
	return fmt.Errorf("%w: %s", asset.ErrKey, why)
}

// unlistable are the characters that XML 1.0 cannot hold: listings are XML.
func unlistable(r rune) bool {
	return r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF
}

func dotted(name string) bool {
	if !strings.Contains(name, `\`) {
		return false
	}
	for part := range strings.SplitSeq(strings.ReplaceAll(name, `\`, "/"), "/") {
		if part == "." || part == ".." {
			return true
		}
	}
	return false
}

// findable reports whether a key can have an object at all.
func (s *Store) findable(key asset.Key) bool {
	name := s.name(key)
	return key != asset.Root && len(name) <= maxName && utf8.ValidString(name) && strings.TrimSpace(name) != ""
}
