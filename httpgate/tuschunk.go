package httpgate

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"go.uber.org/zap"

	"hotfolderd/asset"
	"hotfolderd/intake"
	"hotfolderd/storage"
)

const (
	checkpointShare = 10 // a checkpoint may take one part in so many of an upload's time
	keepTime        = 30 * time.Second
	chunkBuffer     = 256 << 10
)

// chunk is the body of one request of an upload.
type chunk struct {
	t     *tusUpload
	u     *upload
	from  int64 // offset of its first byte
	saved int64 // offset up to which there are pieces
	last  time.Time
	took  time.Duration
}

// WriteChunk implements handler.Upload. What came is kept, however the request ends, unless it completes the upload: then all bytes
// are put together by FinishUpload. So an upload without done.json is one whose end has to come again.
func (t *tusUpload) WriteChunk(ctx context.Context, offset int64, src io.Reader) (int64, error) {
	if err := t.g.o.Writable(); err != nil {
		return 0, tusError(err)
	}
	staged, err := t.place.folder.Store.Stage(ctx)
	if err != nil {
		return 0, tusError(err)
	}
	c := &chunk{t: t, u: &upload{g: t.g, place: t.place, staged: staged}, from: offset, saved: offset, last: time.Now()}
	if offset == 0 {
		c.u.sum = sha256.New()
	}
	err = c.take(ctx, src)
	n := staged.Size()
	t.g.metrics.bytes.Add(float64(n))
	if err == nil && offset+n == t.note.Size {
		t.tail = c.u
		return n, nil
	}
	defer c.u.discard()
	if kept := c.keep(ctx); kept != nil {
		return c.saved - offset, tusError(errors.Join(err, kept))
	}
	return n, tusError(err)
}

func (c *chunk) take(ctx context.Context, src io.Reader) error {
	buf := make([]byte, chunkBuffer)
	for {
		n, err := src.Read(buf)
		if _, err := c.u.Write(buf[:n]); err != nil {
			return err
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if err := c.checkpoint(ctx); err != nil {
			return err
		}
	}
}

// checkpoint keeps what came since the last one, when it is time, so that another node can go on when this one dies.
func (c *chunk) checkpoint(ctx context.Context) error {
	if time.Since(c.last) < max(c.t.g.o.Checkpoint, checkpointShare*c.took) {
		return nil
	}
	begin := time.Now()
	err := c.savePiece(ctx)
	c.last, c.took = time.Now(), time.Since(begin)
	return err
}

// savePiece stores what has no piece yet.
func (c *chunk) savePiece(ctx context.Context) error {
	size := c.u.staged.Size() - (c.saved - c.from)
	if size == 0 {
		return nil
	}
	body := io.NewSectionReader(c.u.staged, c.saved-c.from, size)
	_, err := c.t.place.folder.Store.Put(ctx, c.t.at(pieceName(c.saved)), body, onlyOnce)
	return c.kept(size, err)
}

// keep stores what came of a chunk that does not complete the upload; of a client that is gone, too.
func (c *chunk) keep(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepTime+time.Duration(c.u.staged.Size()/finishRate)*time.Second)
	defer cancel()
	if c.saved > c.from || c.u.staged.Size() == 0 {
		return c.savePiece(ctx)
	}
	_, err := c.u.staged.Publish(ctx, c.t.at(pieceName(c.from)), onlyOnce)
	return c.kept(c.u.staged.Size(), err)
}

func (c *chunk) kept(size int64, err error) error {
	switch {
	case isTaken(err):
		return errOvertaken
	case err != nil:
		return fmt.Errorf("keep a piece of an upload: %w", err)
	}
	c.saved += size
	return nil
}

// FinishUpload implements handler.Upload.
func (t *tusUpload) FinishUpload(ctx context.Context) error {
	of(ctx).finishing(t.note.Size)
	d, err := t.finish(ctx)
	if t.tail != nil {
		t.tail.discard()
	}
	t.g.told("tus", d, err, &counted{})
	var r *Refusal
	if errors.As(err, &r) && r != errOvertaken { // it will never do
		if err := t.remove(ctx, func(string) bool { return true }); err != nil {
			t.g.o.Log.Warn("the rest of an upload was left", zap.Error(err))
		}
	}
	if q := of(ctx); err == nil && q != nil {
		q.drop = &d
	}
	return tusError(err)
}

// finish makes a drop of all bytes.
func (t *tusUpload) finish(ctx context.Context) (Drop, error) {
	d := Drop{Hotfolder: t.place.hotfolder, Key: t.place.key, Size: t.note.Size}
	if t.done {
		d.Waits = true // it is finished already; which drop it became is not known here
		return d, nil
	}
	u, err := t.whole(ctx)
	if err != nil {
		return d, err
	}
	defer u.discard()
	d.Hash = u.hash()
	if err := u.check(ctx); err != nil {
		return d, err
	}
	at, err := t.g.names.New(ctx, t.place.folder.Folder, d.Hotfolder, d.Key, t.mark)
	if err != nil {
		return d, err
	}
	o, err := u.staged.Publish(ctx, at, onlyOnce)
	if err != nil {
		return d, fmt.Errorf("store %s: %w", d.Key.Quoted(), err)
	}
	u.discard()
	return t.settle(ctx, d, o)
}

// whole are all bytes in one stream: those of this request alone, or put together with the pieces.
func (t *tusUpload) whole(ctx context.Context) (*upload, error) {
	have := t.note.Size
	if t.tail != nil {
		have -= t.tail.staged.Size()
	}
	if t.tail != nil && have == 0 {
		return t.tail, nil
	}
	staged, err := t.place.folder.Store.Stage(ctx)
	if err != nil {
		return nil, err
	}
	u := &upload{g: t.g, place: t.place, staged: staged, sum: sha256.New()}
	if have > 0 {
		err = t.pieces.CopyTo(ctx, u, t.place.folder.Store, 0, have)
	}
	if err == nil && t.tail != nil {
		_, err = io.Copy(u, io.NewSectionReader(t.tail.staged, 0, t.tail.staged.Size()))
	}
	if err != nil {
		u.discard()
		return nil, fmt.Errorf("put an upload together: %w", err)
	}
	return u, nil
}

// settle decides that this pending upload is the one, and gives it its name.
func (t *tusUpload) settle(ctx context.Context, d Drop, o storage.Object) (Drop, error) {
	ours, err := t.g.decide(ctx, t.place, t.mark, o, d.Hash)
	if err != nil {
		t.g.left.Add(o.Key) // whether it is decided is not known: the sweep finds out
		return d, err
	}
	if !ours {
		d.Waits = true
		return d, nil
	}
	hash := d.Hash
	d = t.g.nameSoon(ctx, t.place, o)
	d.Hash = hash
	if err := t.remove(ctx, func(name string) bool { return name != noteName && name != doneName && name != dropName }); err != nil {
		t.g.o.Log.Warn("the rest of an upload was left", zap.Error(err))
	}
	return d, nil
}

// nameSoon names a pending upload, or leaves it to the sweep when its name is taken for long.
func (g *Gate) nameSoon(ctx context.Context, p place, o storage.Object) Drop {
	done := g.turns.take(p)
	defer done()
	for wait := firstWait; ; wait = min(2*wait, lastWait) {
		d, named, err := g.name(ctx, p, o)
		if named {
			return d
		}
		if err != nil || wait == lastWait || ctx.Err() != nil {
			if err != nil {
				g.o.Log.Error("an upload is stored but has no name yet; it is tried again", zap.String("key", p.key.Shown()), zap.Error(err))
			}
			g.left.Add(o.Key)
			d.Waits = true
			return d
		}
		pause(ctx, wait)
	}
}

// decide makes a pending upload the one that an upload by tus becomes, and reports whether it is; another one is removed. The hash is zero
// where it is not known any more.
func (g *Gate) decide(ctx context.Context, p place, mark string, o storage.Object, h asset.Hash) (bool, error) {
	t := g.tusUpload(mark, p)
	name := o.Key.Base()
	err := putNote(ctx, p.folder.Store, t.at(doneName), done{name, h})
	if err == nil || !isTaken(err) {
		return err == nil, err
	}
	var standing done
	if err := intake.ReadNote(ctx, p.folder.Store, t.at(doneName), &standing); err != nil {
		return false, err
	}
	if standing.Pending == name {
		return true, nil
	}
	return false, g.dropPending(ctx, p, o)
}

// dropPending takes away a pending upload that is not to be.
func (g *Gate) dropPending(ctx context.Context, p place, o storage.Object) error {
	g.left.Drop(o.Key)
	err := p.folder.Store.Remove(ctx, o.Key, o.Version)
	if note := intake.Beside(o.Key); err == nil && note != asset.Root {
		err = p.folder.Store.Remove(ctx, note, "")
	}
	return err
}

// putNote stores a small JSON document that is made once.
func putNote(ctx context.Context, s storage.Store, at asset.Key, v any) error {
	data, err := json.Marshal(v)
	if err == nil {
		_, err = s.Put(ctx, at, bytes.NewReader(data), onlyOnce)
	}
	return err
}
