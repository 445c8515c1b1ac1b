package workarea

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// maxPause is the greatest size of the note of a pause.
const maxPause = 64 << 10

// Pause says that somebody wants nothing to be imported from a hotfolder until it is resumed.
type Pause struct {
	Hotfolder string    `json:"hotfolder"`
	Node      string    `json:"node"` // where it was asked for
	Since     time.Time `json:"since"`
}

// Pauses are those in force, by hotfolder, as every node of the store sees them. A note that cannot be read is a pause too.
func (a *Area) Pauses(ctx context.Context) (map[string]Pause, error) {
	all := map[string]Pause{}
	for o, err := range a.store.List(ctx, a.prefix.Join("paused"), storage.ListOptions{NamesOnly: true}) {
		if errors.Is(err, fs.ErrNotExist) {
			return all, nil
		}
		if err != nil {
			return nil, fmt.Errorf("paused hotfolders: %w", err)
		}
		hotfolder, ok := strings.CutSuffix(o.Key.Base(), recordExt)
		if !ok || !isFile(o) {
			continue
		}
		p := Pause{}
		data, _, err := a.readObject(ctx, o.Key, maxPause)
		switch {
		case errors.Is(err, fs.ErrNotExist): // resumed a moment ago
			continue
		case err != nil:
			return nil, fmt.Errorf("paused hotfolders: %w", err)
		case json.Unmarshal(data, &p) != nil:
			p = Pause{}
		}
		p.Hotfolder = hotfolder
		all[hotfolder] = p
	}
	return all, nil
}

// SetPaused pauses a hotfolder for all nodes of the store, or resumes it; when it returns nil that is durable. Both may be
// repeated.
func (a *Area) SetPaused(ctx context.Context, hotfolder string, on bool) error {
	name, err := hotfolderKey(hotfolder)
	if err == nil {
		key := a.at("paused", name+recordExt)
		if on {
			err = a.pause(ctx, key, hotfolder)
		} else {
			err = a.resume(ctx, key)
		}
	}
	if err != nil {
		return fmt.Errorf("pause of %q: %w", hotfolder, because(ctx, err))
	}
	return nil
}

func (a *Area) pause(ctx context.Context, key asset.Key, hotfolder string) error {
	line, err := encodeLine(Pause{Hotfolder: hotfolder, Node: a.node, Since: a.now().UTC().Round(time.Second)})
	if err == nil {
		_, err = a.store.Put(ctx, key, bytes.NewReader(line), storage.PutOptions{IfAbsent: true})
	}
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

func (a *Area) resume(ctx context.Context, key asset.Key) error {
	o, err := a.store.Stat(ctx, key)
	if err == nil {
		err = a.store.Remove(ctx, key, o.Version)
	}
	if err == nil {
		err = a.store.Sync(ctx, key)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
