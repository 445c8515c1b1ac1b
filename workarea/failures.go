package workarea

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"strings"
	"time"

	"go.uber.org/zap"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// loneSidecar is how long an .error.json may be without its file before it is taken for the leaving of a crash.
const loneSidecar = time.Hour

// Failures streams what is in failed/, in no particular order. A file without a readable .error.json is listed too, with
// what is known of it. What a crash left behind is tidied up on the way.
func (a *Area) Failures(ctx context.Context) iter.Seq2[asset.Failure, error] {
	return func(yield func(asset.Failure, error) bool) {
		for o, err := range a.store.List(ctx, a.prefix.Join("failed"), storage.ListOptions{Recursive: true}) {
			switch {
			case errors.Is(err, fs.ErrNotExist):
				continue
			case err != nil:
				err = fmt.Errorf("failures: %w", err)
			case !isFile(o):
				continue
			case strings.HasSuffix(string(o.Key), errorExt):
				a.tidySidecar(ctx, o)
				continue
			}
			var f asset.Failure
			if err == nil {
				f = a.failureOf(ctx, o)
			}
			if !yield(f, err) {
				return
			}
		}
	}
}

// Failure finds one failure by its id. fs.ErrNotExist when there is none.
func (a *Area) Failure(ctx context.Context, id string) (asset.Failure, error) {
	var unread error
	for f, err := range a.Failures(ctx) {
		if err == nil && f.ID == id {
			return f, nil
		}
		unread = errors.Join(unread, err)
	}
	if unread == nil {
		unread = fs.ErrNotExist
	}
	return asset.Failure{}, fmt.Errorf("failure %q: %w", id, unread)
}

// failureOf is the failure that a file in failed/ stands for.
func (a *Area) failureOf(ctx context.Context, o storage.Object) asset.Failure {
	stored, _ := o.Key.Below(a.prefix)
	data, err := a.readSmall(ctx, o.Key+errorExt)
	if err == nil {
		var f asset.Failure
		if f, err = decodeFailure(data); err == nil && f.Stored == stored {
			return f
		}
	}
	rest, _ := stored.Below("failed")
	hotfolder, key, _ := strings.Cut(string(rest), "/")
	if key == "" {
		hotfolder, key = "", hotfolder
	}
	f := asset.Failure{
		ID: failureID(string(stored), string(o.Version)), Time: o.Changed, Hotfolder: hotfolder, Key: asset.Key(key),
		Stored: stored, Version: o.Version, Size: o.Size,
		Reason: "The .error.json beside this file is missing or cannot be read, so the reason is not known.",
		Hint:   "Retry it, or delete it.",
	}
	if err != nil {
		f.Detail = err.Error()
	}
	return f
}

// decodeFailure reads a sidecar and checks what a Retry relies on.
func decodeFailure(data []byte) (asset.Failure, error) {
	var f asset.Failure
	if err := json.Unmarshal(data, &f); err != nil {
		return asset.Failure{}, fmt.Errorf("%w: %v", errTorn, err)
	}
	if f.ID == "" || f.Key == "" || f.Stored == "" {
		return asset.Failure{}, fmt.Errorf("%w: it names no drop", errTorn)
	}
	return f, nil
}

// tidySidecar removes a sidecar of ours that has been without its file for long. What it cannot tell it leaves alone.
func (a *Area) tidySidecar(ctx context.Context, side storage.Object) {
	if a.now().Sub(side.Changed) < loneSidecar {
		return
	}
	file := asset.Key(strings.TrimSuffix(string(side.Key), errorExt))
	if _, err := a.store.Stat(ctx, file); !errors.Is(err, fs.ErrNotExist) {
		return
	}
	data, err := a.readSmall(ctx, side.Key)
	if err != nil {
		return
	}
	f, err := decodeFailure(data)
	if err == nil && a.prefix.Join(f.Stored) == file {
		err = a.store.Remove(ctx, side.Key, side.Version)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		a.log.Warn("an .error.json without its file was not removed", zap.String("key", side.Key.Shown()), zap.Error(err))
	}
}
