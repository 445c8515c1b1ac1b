package httpgate

import (
	"context"
	"errors"
	"io/fs"

	"go.uber.org/zap"

	"hotfolderd/asset"
	"hotfolderd/intake"
)

// Errors of [Gate.Became], beside fs.ErrNotExist: there is no such upload, or not any more.
var (
	ErrComing  = errors.New("the upload does not have all its bytes yet")
	ErrUnnoted = errors.New("the upload became a drop, and nobody came to noting which one")
)

// named says which drop an upload became.
type named struct {
	Version asset.Version `json:"version"`
}

// noteDrop notes which drop the pending upload at a key became. It is for those who ask: without it the upload is whole all the same.
func (g *Gate) noteDrop(ctx context.Context, p place, pending asset.Key, d Drop) {
	of, ok := intake.ParsePending(pending.Base())
	if !ok || of.Mark == "" {
		return
	}
	err := putNote(ctx, p.folder.Store, g.tusUpload(of.Mark, p).at(dropName), named{d.Version})
	if err != nil && !isTaken(err) {
		g.o.Log.Info("it is not noted which drop an upload became", zap.String("key", d.Key.Shown()), zap.Error(err))
	}
}

// Became is the drop that an upload by tus became, whichever node took it; Waits while another drop has its name. It is known as long as
// the upload is, for [Options].ResumeTTL.
func (g *Gate) Became(ctx context.Context, upload string) (Drop, error) {
	t, err := tusStore{g}.find(ctx, upload)
	if err != nil {
		return Drop{}, missing(err)
	}
	d := Drop{Hotfolder: t.place.hotfolder, Key: t.note.Key, Size: t.note.Size, Waits: true}
	if !t.done {
		return d, ErrComing
	}
	var end done
	if err := intake.ReadNote(ctx, t.place.folder.Store, t.at(doneName), &end); err != nil {
		return d, err
	}
	d.Hash = end.Hash
	if !t.named {
		return d, t.waits(ctx, end.Pending)
	}
	var is named
	if err := intake.ReadNote(ctx, t.place.folder.Store, t.at(dropName), &is); err != nil {
		return d, err
	}
	d.Version, d.Waits = is.Version, false
	return d, nil
}

// waits is nil while the pending upload is there.
func (t *tusUpload) waits(ctx context.Context, pending string) error {
	_, err := t.place.folder.Store.Stat(ctx, t.place.folder.PendingFolder(t.place.hotfolder).Join(asset.Key(pending)))
	if notThere(err) {
		return ErrUnnoted // or it is noted just now
	}
	return err
}

// missing is fs.ErrNotExist for an upload that the library would not find.
func missing(err error) error {
	if notThere(err) || errors.Is(err, errNotFound) {
		return fs.ErrNotExist
	}
	return err
}
