package ftpgate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"hotfolderd/asset"
	"hotfolderd/intake"
	"hotfolderd/storage"
)

const (
	streamKind = "stream" // of what is kept: the token of a stream
	// streamMark is in the pending name of a stream. That is the name which the gate gave it where it began; the one where it ended is
	// another, perhaps.
	streamMark = "s"
	// streamGrace is how long a gate takes at most from the end of a stream to its name.
	streamGrace = unheardTimeout + 2*cleanupTimeout
)

// streamNote says which stream has the first bytes of an attempt.
type streamNote struct {
	Token string `json:"token"`
}

// open begins the staging: a stream to the store where that takes one, else on this machine. One that broke off is gone on with.
func (u *upload) open(ctx context.Context, from source, offset int64) (err error) {
	streams := u.to.folder.Streams
	if streams != nil && from.kept != nil {
		if at, _ := from.kept.partBefore(offset); at > 0 {
			u.stream, err = streams.GoOn(ctx, from.kept.token, at)
			u.staged, u.goesOn = u.stream, true
			return err
		}
	}
	if streams != nil {
		u.stream, err = streams.Stream(ctx, u.s.g.names.Next(u.to.folder, u.to.hotfolder, u.to.key, streamMark))
		u.staged = u.stream
	}
	if streams == nil || errors.Is(err, errors.ErrUnsupported) {
		u.stream = nil
		u.staged, err = u.to.folder.Store.Stage(ctx)
	}
	return err
}

// endStream is the last step of a stream. It is given some time more when ctx ends: an object that appears all the same must not become
// a drop.
func (u *upload) endStream(ctx context.Context) (storage.Object, error) {
	at := u.stream.Key()
	ctx, cancel := storage.Lasting(ctx, cleanupTimeout)
	defer cancel()
	err := u.to.folder.WriteBeside(ctx, at, u.to.key)
	var stored storage.Object
	if err == nil {
		stored, err = u.stream.Publish(ctx, at, storage.PutOptions{IfAbsent: true})
	}
	return stored, err
}

// keepStream keeps what the store has of a broken stream, and what it has not in a piece.
func (u *upload) keepStream(ctx context.Context) error {
	late := u.stream.Settle(ctx) // what did not arrive is still here
	err := u.writeNote(ctx)
	if sent := u.stream.Sent(); err == nil && sent < u.stream.Size() {
		err = u.putPiece(ctx, sent)
	}
	if err != nil {
		return errors.Join(err, late)
	}
	return u.stream.Leave()
}

// noteStream says where what the store has of an upload is, once it has something.
func (u *upload) noteStream(ctx context.Context) error {
	if u.stream == nil || u.stream.Token() == "" {
		return nil
	}
	token := u.stream.Token()
	data, err := json.Marshal(streamNote{token})
	if err == nil {
		_, err = u.to.folder.Store.Put(ctx, u.keptKey(streamKind), strings.NewReader(string(data)), putLater)
	}
	if err == nil {
		u.points.token = token
	}
	return err
}

// giveUp has the store forget the stream of an attempt, whose token is kept under a key, unless that is the upload's own.
func giveUp(ctx context.Context, f Folder, key asset.Key, own string) error {
	var n streamNote
	err := intake.ReadNote(ctx, f.Store, key, &n)
	if err == nil && n.Token != own {
		err = f.Streams.GiveUp(ctx, n.Token)
	}
	return err
}

// findStream asks the store what it has of the stream of an attempt.
func (a *attempt) findStream(ctx context.Context, f Folder, user string) error {
	if !a.streamed || f.Streams == nil {
		return nil
	}
	var n streamNote
	err := intake.ReadNote(ctx, f.Store, a.at(f, user, streamKind), &n)
	var has storage.Streamed
	if err == nil {
		has, err = f.Streams.Streamed(ctx, n.Token)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it has ended
	}
	a.token, a.ends = n.Token, has.Ends
	if has.Changed.After(a.pieces.Changed) {
		a.pieces.Changed = has.Changed
	}
	return err
}

// partBefore is where the stream of an attempt must go on so that its pieces reach an offset from there; 0 is anew.
func (a *attempt) partBefore(offset int64) (at int64, ok bool) {
	for _, end := range slices.Backward(a.ends) {
		if end <= offset && a.pieces.Reach(end) >= offset {
			return end, true
		}
	}
	return 0, a.pieces.Reach(0) >= offset
}

// putPiece keeps what was staged behind an offset.
func (u *upload) putPiece(ctx context.Context, from int64) error {
	_, err := u.to.folder.Store.Put(ctx, u.pieceKey(from), io.NewSectionReader(u.staged, from, u.staged.Size()-from), putLater)
	if err != nil {
		return fmt.Errorf("keep an upload: %w", err)
	}
	return nil
}
