package s3

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"time"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

const movesFolder = Private + "/moves"

// Move implements storage.Store: copy, then remove. Of several movers of one version only the one that creates its claim goes on, so it
// arrives once. A claim whose process died is taken over after ten minutes.
func (s *Store) Move(ctx context.Context, src storage.Object, dst asset.Key, o storage.PutOptions) (storage.Object, error) {
	if err := ended(ctx, "move", src.Key); err != nil {
		return storage.Object{}, err
	}
	obj, err := s.move(ctx, src, dst, o)
	return obj, fail(ctx, "move", src.Key, err)
}

func (s *Store) move(ctx context.Context, src storage.Object, dst asset.Key, o storage.PutOptions) (obj storage.Object, err error) {
	if _, err := s.newName(dst); err != nil {
		return storage.Object{}, err
	}
	there, err := s.Stat(ctx, src.Key)
	if err == nil {
		err = wanted(there, src.Version)
	}
	if err != nil {
		return storage.Object{}, err
	}
	c, err := s.claim(ctx, there)
	if err != nil {
		return storage.Object{}, err
	}
	defer s.forget(ctx, c.key)
	o.Brief = false // it may have to be taken back
	if obj, err = s.copy(ctx, there, dst, o); err != nil {
		return storage.Object{}, err
	}
	err = c.stillOurs(ctx)
	if err == nil {
		err = s.remove(ctx, there.Key, there.Version)
	}
	if err != nil {
		return storage.Object{}, errors.Join(err, s.takeBack(ctx, obj))
	}
	return obj, nil
}

// takeBack removes a copy whose source was not ours to move.
func (s *Store) takeBack(ctx context.Context, obj storage.Object) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tidyTime)
	defer cancel()
	if err := s.remove(ctx, obj.Key, obj.Version); !absent(err) {
		return err
	}
	return nil
}

// claim is the right to move one version of one object.
type claim struct {
	s      *Store
	key    asset.Key // of the claim
	writer string
	since  time.Time
}

// errMoving: somebody else moves the same version.
var errMoving = fmt.Errorf("%w: another move of it is under way", storage.ErrChanged)

func (s *Store) claim(ctx context.Context, src storage.Object) (*claim, error) {
	if !s.promises.Create {
		return nil, errNoCreate
	}
	sum := sha256.Sum256([]byte(string(src.Key) + "\x00" + string(src.Version)))
	c := &claim{s: s, key: movesFolder.Join(asset.Key(hex.EncodeToString(sum[:]))), writer: rand.Text(), since: time.Now()}
	for range 2 {
		_, err := s.create(ctx, c.key, s.name(c.key), bodyOf([]byte(c.writer)), true)
		if err == nil {
			return c, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
		if err := c.bury(ctx); err != nil {
			return nil, err
		}
	}
	return nil, errMoving
}

// bury takes away the claim of a process that died.
func (c *claim) bury(ctx context.Context) error {
	info, err := c.s.head(ctx, c.key)
	if absent(err) {
		return nil
	}
	if err != nil {
		return err
	}
	now, err := http.ParseTime(info.Headers.Get("Date"))
	if err != nil || now.Sub(info.LastModified) < c.s.limits.claim {
		return errMoving
	}
	return c.s.remove(ctx, c.key, object(c.key, info).Version)
}

// stillOurs asks for the claim where so much time has passed that somebody may have buried it.
func (c *claim) stillOurs(ctx context.Context) error {
	if time.Since(c.since) < c.s.limits.claim/2 {
		return nil
	}
	r, err := c.s.open(ctx, c.key, "")
	if absent(err) {
		return errMoving
	}
	if err != nil {
		return err
	}
	defer r.Close()
	b := make([]byte, len(c.writer))
	if n, _ := r.ReadAt(b, 0); string(b[:n]) != c.writer {
		return errMoving
	}
	return nil
}
