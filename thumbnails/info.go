package thumbnails

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"slices"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

const (
	infoName  = "info.json"
	infoBytes = 64 << 10
	// luckTries is how often an image that took too long, or on which the renderer died, is tried in all.
	luckTries = 3
)

// info is what is known of an original beside its renditions. The zero value knows nothing.
type info struct {
	Width       int      `json:"width,omitempty"` // upright
	Height      int      `json:"height,omitempty"`
	Transparent bool     `json:"transparent,omitempty"` // what auto turns into
	Animated    bool     `json:"animated,omitempty"`    // so does it
	ThumbHash   []byte   `json:"thumbhash,omitempty"`
	Failure     *failure `json:"failure,omitempty"`
}

// failure says why an original cannot be rendered, and by whom and under which limits: others may try again.
type failure struct {
	Kind   Kind   `json:"kind"`
	Reason string `json:"reason"`
	Engine string `json:"engine"`
	Limits Limits `json:"limits"`
	Tries  int    `json:"tries"`
}

// final reports whether trying again is pointless.
func (i info) final(engine string, lim Limits) bool {
	f := i.Failure
	if f == nil || f.Engine != engine {
		return false
	}
	switch f.Kind {
	case TooLarge:
		return !lim.exceeds(f.Limits)
	case Timeout, Crashed:
		return f.Tries >= luckTries && !lim.exceeds(f.Limits)
	}
	return true
}

// failed counts a failure. Measures of earlier, better days stay.
func (i info) failed(e *Error, engine string, lim Limits) info {
	tries := 1
	if f := i.Failure; f != nil && f.Engine == engine && f.Kind == e.Kind && !lim.exceeds(f.Limits) {
		tries += f.Tries
	}
	i.Failure = &failure{Kind: e.Kind, Reason: e.Reason, Engine: engine, Limits: lim, Tries: tries}
	return i
}

// format is what spec comes to for this original.
func (i info) format(spec Spec) string {
	switch {
	case spec.Format != Auto:
		return spec.Format
	case i.Transparent, i.Animated:
		return PNG
	}
	return JPEG
}

func (i info) thumbnails(spec Spec) asset.Thumbnails {
	sizes := slices.Clone(spec.Sizes)
	slices.Sort(sizes)
	return asset.Thumbnails{Sizes: sizes, Format: i.format(spec), Width: i.Width, Height: i.Height, ThumbHash: i.ThumbHash}
}

func (r *Room) infoKey(h asset.Hash) asset.Key { return r.folder(h).Join(infoName) }

// readInfo knows nothing when there is no file or a spoiled one: it is written again then.
func (r *Room) readInfo(ctx context.Context, h asset.Hash) (info, error) {
	f, err := r.store.Open(ctx, r.infoKey(h), "")
	if errors.Is(err, fs.ErrNotExist) {
		return info{}, nil
	}
	if err != nil {
		return info{}, err
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, infoBytes))
	if err != nil {
		return info{}, err
	}
	return parseInfo(b), nil
}

func parseInfo(b []byte) info {
	var i info
	if json.Unmarshal(b, &i) != nil || i.Width < 0 || i.Height < 0 {
		return info{}
	}
	return i
}

func (r *Room) writeInfo(ctx context.Context, h asset.Hash, i info) error {
	b, err := json.Marshal(i)
	if err != nil {
		return err
	}
	_, err = r.store.Put(ctx, r.infoKey(h), bytes.NewReader(b), storage.PutOptions{Deferred: true, Brief: true})
	return err
}
