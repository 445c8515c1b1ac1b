package posix

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

const (
	// maxExt is how long an extension may be; after a dot further from the end, a name just goes on.
	maxExt = 32
	// markBytes of a version's hash stand before the name of what is to go.
	markBytes = 8
)

// toStay is where an object is set aside that is to have a name again.
func (b *boot) toStay(key asset.Key, _ asset.Version) asset.Key {
	return b.key.Join(asideName).Join(key)
}

// toGo is where a version is set aside that is to be deleted. The name tells which it was: a drop that was imported and came back
// because its process died just then would be another drop, if something new had its name by then, and be imported twice. A name
// that is too long for that is kept as one that stays.
func (b *boot) toGo(key asset.Key, v asset.Version) asset.Key {
	base := mark(v) + key.Base()
	if len(base) > asset.MaxComponent {
		return b.toStay(key, v)
	}
	return b.key.Join(goneName).Join(key.Dir()).Join(asset.Key(base))
}

func mark(v asset.Version) string {
	sum := sha256.Sum256([]byte(v))
	return hex.EncodeToString(sum[:markBytes]) + "."
}

// settleAside ends what a dead process had begun with the objects that it had set aside.
func (s *Store) settleAside(ctx context.Context, boot asset.Key) error {
	gone := boot.Join(goneName)
	err := s.eachBelow(ctx, gone, func(o storage.Object, below asset.Key) error { return s.endRemoval(o, below) })
	if err != nil {
		return err
	}
	return s.eachBelow(ctx, boot.Join(asideName), func(o storage.Object, key asset.Key) error { return s.restore(o.Key, key) })
}

// eachBelow does something with every object below a folder, which need not exist.
func (s *Store) eachBelow(ctx context.Context, folder asset.Key, do func(o storage.Object, below asset.Key) error) error {
	for o, err := range s.List(ctx, folder, storage.ListOptions{Recursive: true}) {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		below, is := o.Key.Below(folder)
		if o.Kind == storage.Directory || !is {
			continue
		}
		if err := do(o, below); err != nil {
			return fail("end what was begun with", below, err)
		}
	}
	return nil
}

// endRemoval deletes what a dead process was deleting. What is not the version that was to go any more gets its name back.
func (s *Store) endRemoval(o storage.Object, below asset.Key) error {
	_, base, marked := strings.Cut(below.Base(), ".")
	if !marked || base == "" {
		return s.restore(o.Key, below) // not written by us
	}
	err := s.stillUnchanged(o.Key, o.Version, false)
	switch {
	case err == nil && below.Base() == mark(o.Version)+base:
		return s.unlink(o.Key, 0)
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOENT):
		return nil // another process does the same
	}
	return s.restore(o.Key, below.Dir().Join(asset.Key(base)))
}

// restore renames aside to key, or to "key (restored 2)" and so on when something new stands there: nothing is ever lost.
func (s *Store) restore(aside, key asset.Key) error {
	for n := 1; n < 1000; n++ {
		err := s.renameFree(aside, restoredName(key, n))
		if !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return fs.ErrExist
}

func restoredName(key asset.Key, n int) asset.Key {
	if n == 1 {
		return key
	}
	base, mark := key.Base(), fmt.Sprintf(" (restored %d)", n)
	ext := path.Ext(strings.TrimLeft(base, "."))
	if len(ext) > maxExt {
		ext = ""
	}
	stem := base[:len(base)-len(ext)]
	if cut := asset.MaxComponent - len(mark) - len(ext); len(stem) > cut {
		for cut > 0 && !utf8.RuneStart(stem[cut]) {
			cut--
		}
		stem = stem[:cut]
	}
	return key.Dir().Join(asset.Key(stem + mark + ext))
}
