package ftpgate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"go.uber.org/zap"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

const checkpointShare = 10 // a checkpoint may take one part in so many of an upload's time

// checkpoints keep the bytes of a long upload now and then, so that it can go on elsewhere when this process dies. What was sent in
// a moment is sent again in a moment, and costs nothing twice.
type checkpoints struct {
	saved int64 // bytes that are kept
	noted bool
	off   bool // one failed: the upload goes on without
	last  time.Time
	took  time.Duration
}

// checkpoint keeps what came since the last one, when it is time.
func (u *upload) checkpoint(ctx context.Context) error {
	p := &u.points
	if p.last.IsZero() {
		p.last = u.t.since
	}
	if p.off || u.s.g.o.ResumeTTL < 0 || time.Since(p.last) < max(u.s.g.o.Checkpoint, checkpointShare*p.took) {
		return nil
	}
	begin := time.Now()
	err := u.savePiece(ctx)
	p.last, p.took = time.Now(), time.Since(begin)
	if err != nil && ctx.Err() == nil {
		p.off = true
		u.s.log.Warn("a long upload cannot be kept while it comes", zap.Error(err))
		return nil
	}
	return causeOf(ctx, err)
}

func (u *upload) savePiece(ctx context.Context) error {
	if err := u.writeNote(ctx); err != nil {
		return err
	}
	from, size := u.points.saved, u.staged.Size()
	_, err := u.to.folder.Store.Put(ctx, u.pieceKey(from), io.NewSectionReader(u.staged, from, size-from), putLater)
	if err != nil {
		return fmt.Errorf("keep an upload: %w", err)
	}
	u.points.saved = size
	return nil
}

// keptKey is the name of a piece, or of the note.
func (u *upload) keptKey(kind string) asset.Key {
	name := nameOf(u.to.place)
	return nameFolder(u.to.folder, u.user.Name, name).Join(asset.Key(name + "." + u.id + "." + kind))
}

func (u *upload) pieceKey(start int64) asset.Key { return u.keptKey(fmt.Sprintf("%020d", start)) }

func (u *upload) writeNote(ctx context.Context) error {
	if u.points.noted {
		return nil
	}
	data, err := json.Marshal(note{User: u.user.Name, Hotfolder: u.to.hotfolder, Key: u.to.key})
	if err == nil {
		_, err = u.to.folder.Store.Put(ctx, u.keptKey(noteMark), strings.NewReader(string(data)), putLater)
	}
	if err != nil {
		return fmt.Errorf("keep an upload: %w", err)
	}
	u.points.noted = true
	return nil
}

// worthKeeping are the ends of uploads whose owner may want to go on.
var worthKeeping = []error{
	errAborted, errGone, errReset, errCut, errCutShort, errStalled, errDraining, errEnded, errTakenOver, errUnheard,
}

// keep keeps all that came of a broken upload for its owner.
func (u *upload) keep(ctx context.Context, why error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	worth := u.s.g.o.ResumeTTL > 0 && u.t.moved.Load() > 0
	if !worth || !isAny(why, worthKeeping) {
		u.points.saved = 0
		if u.points.noted {
			u.dropAttempts(ctx, func(id string) bool { return id == u.id })
		}
		return
	}
	err := u.writeNote(ctx)
	if err == nil {
		_, err = u.staged.Publish(ctx, u.pieceKey(0), putLater)
	}
	u.keptAs(ctx, u.staged.Size(), err)
}

// keepStored keeps bytes that were stored, but nobody heard so.
func (u *upload) keepStored(ctx context.Context, stored storage.Object) {
	if u.s.g.o.ResumeTTL < 0 {
		if err := u.to.folder.Store.Remove(ctx, stored.Key, stored.Version); err != nil {
			u.s.log.Warn("an upload that nobody heard of was left", zap.Error(err))
		}
		return
	}
	err := u.writeNote(ctx)
	if err == nil {
		_, err = u.to.folder.rename(ctx, stored, u.pieceKey(0))
	}
	if note := beside(stored.Key); err == nil && note != asset.Root {
		err = u.to.folder.Store.Remove(ctx, note, "")
	}
	u.keptAs(ctx, stored.Size, err)
}

// keptAs ends the keeping: one piece has all, and older attempts are of no use any more.
func (u *upload) keptAs(ctx context.Context, size int64, err error) {
	if err != nil {
		u.s.log.Warn("what came of a broken upload is lost", zap.Error(err))
		return
	}
	u.points.saved = size
	u.dropAttempts(ctx, func(id string) bool { return id != u.id })
}

func isAny(err error, of []error) bool {
	for _, e := range of {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// dropPartials forgets all that is kept of broken uploads to this place, since one was whole.
func (u *upload) dropPartials(ctx context.Context) {
	if u.s.g.o.ResumeTTL > 0 {
		u.dropAttempts(ctx, func(string) bool { return true })
	}
}

func (u *upload) dropAttempts(ctx context.Context, which func(id string) bool) {
	store, name := u.to.folder.Store, nameOf(u.to.place)
	folder := nameFolder(u.to.folder, u.user.Name, name)
	for o, err := range store.List(ctx, folder, storage.ListOptions{NamesOnly: true}) {
		if notThere(err) {
			return
		}
		rest, ours := strings.CutPrefix(o.Key.Base(), name+".")
		id, _, _ := strings.Cut(rest, ".")
		if err == nil && ours && which(id) {
			err = store.Remove(ctx, o.Key, "")
		}
		if err != nil && !notThere(err) {
			u.s.log.Warn("the rest of a broken upload was left", zap.Error(err))
		}
	}
	if folders := u.to.folder.Folders; folders != nil {
		_ = folders.RemoveFolder(ctx, folder) // if nothing is in it
	}
}
