package workarea

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"hotfolderd/storage"
)

const (
	identityFile   = "store.json"
	identityFormat = 1
)

// identity is store.json.
type identity struct {
	storage.Identity
	Format int `json:"format"`
}

// identify reads the identity, or creates it where there is no work area yet.
func (a *Area) identify(ctx context.Context, o Options) (string, error) {
	id, err := a.readIdentity(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		id, err = a.newIdentity(ctx, o)
	}
	switch {
	case err != nil:
		return "", err
	case o.Expect != "" && id != o.Expect:
		return "", a.foreign("it is %q, but this node worked with %q before: another share may be mounted here, or "+
			"another bucket be set", id, o.Expect)
	}
	return id, nil
}

// CheckIdentity reads the identity again. [storage.ErrIdentity], with a sentence for people, when it is no longer the one
// that Open found: nothing must be written then. Any other error says that it could not be read just now.
func (a *Area) CheckIdentity(ctx context.Context) error {
	id, err := a.readIdentity(ctx)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return a.foreign("it vanished: the share may not be mounted any more, or the store was cleared; mount it again, " +
			"nothing is imported until it is back")
	case err != nil:
		return err
	case id != a.id:
		return a.foreign("it is now %q and was %q: another share is mounted here; mount the right one, or restart the "+
			"node to work with this one", id, a.id)
	}
	return nil
}

// newIdentity creates store.json in a place that holds nothing else. Of several nodes that start together one creates it;
// all read back who won.
func (a *Area) newIdentity(ctx context.Context, o Options) (string, error) {
	if o.Expect != "" {
		return "", a.foreign("it is missing, but this node worked with %q before: the share may not be mounted", o.Expect)
	}
	if err := a.mustBeEmpty(ctx); err != nil {
		return "", err
	}
	if o.Existing {
		return "", fmt.Errorf("there is no work area: %s: %w", a.prefix.Join(identityFile).Quoted(), fs.ErrNotExist)
	}
	var raw [16]byte
	rand.Read(raw[:])
	doc, err := json.Marshal(identity{
		Identity: storage.Identity{ID: hex.EncodeToString(raw[:]), Created: a.now().UTC()},
		Format:   identityFormat,
	})
	if err != nil {
		return "", err
	}
	_, put := a.store.Put(ctx, a.prefix.Join(identityFile), bytes.NewReader(append(doc, '\n')), storage.PutOptions{IfAbsent: true})
	id, err := a.readIdentity(ctx)
	if errors.Is(err, fs.ErrNotExist) && put != nil {
		return "", fmt.Errorf("create %s: %w", a.prefix.Join(identityFile).Quoted(), put)
	}
	return id, err
}

// mustBeEmpty refuses a place where files lie already: their identity was lost, or only a part of them is mounted.
func (a *Area) mustBeEmpty(ctx context.Context) error {
	for o, err := range a.store.List(ctx, a.prefix, storage.ListOptions{Recursive: true, NamesOnly: true}) {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return fmt.Errorf("look for other files: %w", err)
		case isFile(o) && o.Key != a.prefix.Join(identityFile):
			return a.foreign("it is missing beside files that are there (%s): the share may be mounted in part, or the "+
				"file was deleted; mount the whole share, or put the file back from a backup", o.Key.Quoted())
		}
	}
	return nil
}

func (a *Area) readIdentity(ctx context.Context) (string, error) {
	data, err := a.readSmall(ctx, a.prefix.Join(identityFile))
	if err != nil {
		return "", err
	}
	var id identity
	switch err := json.Unmarshal(data, &id); {
	case err != nil:
		return "", a.foreign("it cannot be understood (%v): it belongs to another program, or is damaged", err)
	case id.ID == "" || id.Format < 1:
		return "", a.foreign("it holds no id or no format: it belongs to another program, or is damaged")
	case id.Format > identityFormat:
		return "", a.foreign("its format is %d, this program knows up to %d: use a newer one", id.Format, identityFormat)
	}
	return id.ID, nil
}

func (a *Area) foreign(format string, args ...any) error {
	return fmt.Errorf("%w: %s: "+format, append([]any{storage.ErrIdentity, a.prefix.Join(identityFile).Quoted()}, args...)...)
}
