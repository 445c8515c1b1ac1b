package ftpgate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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
	saved int64     // bytes that are kept
	noted time.Time // when that was; zero: never
	token string    // of the stream, that was noted
	sent  int64     // what the stream had at the last one
	off   bool      // one failed: the upload goes on without
	last  time.Time
	took  time.Duration
}

// checkpoint keeps what came since the last one, when it is time.
func (u *upload) checkpoint(ctx context.Context) error {
	p := &u.points
	if p.last.IsZero() {
		p.last = u.t.since
	}
	begun := u.stream != nil && p.token != u.stream.Token()
	if p.off || u.s.g.o.ResumeTTL < 0 || !begun && time.Since(p.last) < max(u.s.g.o.Checkpoint, checkpointShare*p.took) {
		return nil
	}
	begin := time.Now()
	err := u.writeNote(ctx)
	if err == nil && !begun {
		err = u.savePiece(ctx)
	}
	p.last, p.took = time.Now(), time.Since(begin)
	if err != nil && ctx.Err() == nil {
		p.off = true
		u.s.log.Warn("a long upload cannot be kept while it comes", zap.Error(err))
		return nil
	}
	return causeOf(ctx, err)
}

// savePiece keeps what came since the last time. A stream that moved on keeps it by itself.
func (u *upload) savePiece(ctx context.Context) error {
	p := &u.points
	if u.stream != nil {
		had := p.sent
		p.sent = u.stream.Sent()
		p.saved = max(p.saved, p.sent)
		if p.sent > had {
			return nil
		}
	}
	if err := u.putPiece(ctx, p.saved); err != nil {
		return err
	}
	p.saved = u.staged.Size()
	return nil
}

// keptKey is the name of a piece, or of the note.
func (u *upload) keptKey(kind string) asset.Key {
	name := nameOf(u.to.place)
	return nameFolder(u.to.folder, u.user.Name, name).Join(asset.Key(name + "." + u.id + "." + kind))
}

func (u *upload) pieceKey(start int64) asset.Key { return u.keptKey(fmt.Sprintf("%020d", start)) }

// writeNote says what is kept, and again before that would be forgotten.
func (u *upload) writeNote(ctx context.Context) error {
	p := &u.points
	fresh := !p.noted.IsZero() && time.Since(p.noted) < u.s.g.o.ResumeTTL/2
	if fresh && (u.stream == nil || p.token == u.stream.Token()) {
		return nil
	}
	data, err := json.Marshal(note{User: u.user.Name, Hotfolder: u.to.hotfolder, Key: u.to.key})
	if err == nil {
		_, err = u.to.folder.Store.Put(ctx, u.keptKey(noteMark), strings.NewReader(string(data)), putLater)
	}
	if err == nil {
		p.noted = time.Now()
		err = u.noteStream(ctx)
	}
	if err != nil {
		return fmt.Errorf("keep an upload: %w", err)
	}
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
		u.keepNothing(ctx)
		return
	}
	u.keptAs(ctx, u.staged.Size(), u.keepAll(ctx))
}

func (u *upload) keepAll(ctx context.Context) error {
	if u.stream != nil {
		return u.keepStream(ctx)
	}
	err := u.writeNote(ctx)
	if err == nil {
		_, err = u.staged.Publish(ctx, u.pieceKey(0), putLater)
	}
	return err
}

// keepNothing forgets this attempt. What was there before it stays.
func (u *upload) keepNothing(ctx context.Context) {
	u.points.saved = 0
	if !u.points.noted.IsZero() {
		u.dropAttempts(ctx, func(id string) bool { return id == u.id })
	}
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
		_, err = u.to.folder.Name(ctx, stored, u.pieceKey(0), putLater)
	}
	if err == nil {
		err = u.to.dropNote(ctx, stored)
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
		id, kind, _ := strings.Cut(rest, ".")
		if err == nil && ours && which(id) {
			err = u.drop(ctx, o.Key, kind)
		}
		if err != nil && !notThere(err) {
			u.s.log.Warn("the rest of a broken upload was left", zap.Error(err))
		}
	}
	if folders := u.to.folder.Folders; folders != nil {
		_ = folders.RemoveFolder(ctx, folder) // if nothing is in it
	}
}

// drop removes something that is kept.
func (u *upload) drop(ctx context.Context, key asset.Key, kind string) error {
	f := u.to.folder
	if kind == streamKind {
		if f.Streams == nil {
			return nil // it is given up when it is old
		}
		if err := giveUp(ctx, f, key, u.points.token); err != nil {
			return err
		}
	}
	return f.Store.Remove(ctx, key, "")
}
