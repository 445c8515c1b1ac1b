package s3

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/minio/minio-go/v7"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// stream is an object whose parts travel while it is written. The server hears of it when the first part is full; what comes to less is
// one PUT. A part waits on this machine until the server has it and all before it.
type stream struct {
	*sending
	size int64
	cur  *part // is being filled
	done error // why nothing can be done any more
}

var _ storage.Streamer = (*Store)(nil)

var (
	errLeft     = errors.New("this stream was left")
	errOnTheWay = errors.New("parts of it are still on their way")
)

// Stream implements storage.Streamer. It asks the server nothing.
func (s *Store) Stream(ctx context.Context, key asset.Key) (storage.Stream, error) {
	if err := ended(ctx, "stream", key); err != nil {
		return nil, err
	}
	if !s.promises.Create || !s.promises.Complete {
		return nil, fail(ctx, "stream", key, errors.ErrUnsupported)
	}
	name, err := s.newName(key)
	if err != nil {
		return nil, fail(ctx, "stream", key, err)
	}
	return newStream(ctx, &running{s: s, key: key, name: name, writer: rand.Text()}), nil
}

func newStream(ctx context.Context, up *running) *stream {
	t := &stream{sending: newSending(ctx, up)}
	t.cur = t.newPart(0)
	return t
}

// ticket is what a token holds.
type ticket struct {
	Key    asset.Key `json:"key"`
	ID     string    `json:"id"`
	Writer string    `json:"writer"`
	Note   string    `json:"note,omitempty"` // version of the note
}

// begun is the upload that a token tells of.
func (s *Store) begun(token string) (*running, error) {
	var t ticket
	if err := json.Unmarshal([]byte(token), &t); err != nil {
		return nil, fmt.Errorf("token of a stream: %w", err)
	}
	name, err := s.newName(t.Key)
	return &running{s: s, key: t.Key, name: name, writer: t.Writer, id: t.ID, noteID: t.Note}, err
}

// GoOn implements storage.Streamer.
func (s *Store) GoOn(ctx context.Context, token string, at int64) (storage.Stream, error) {
	up, err := s.begun(token)
	if err != nil {
		return nil, fail(ctx, "go on with", asset.Root, err)
	}
	t := newStream(ctx, up)
	err = up.eachPart(ctx, func(p minio.ObjectPart) bool {
		if t.sent < at {
			t.have = append(t.have, minio.CompletePart{PartNumber: p.PartNumber, ETag: p.ETag})
			t.sent += p.Size
		}
		return t.sent < at
	})
	if err == nil && t.sent != at {
		err = fmt.Errorf("no part of it ends at %d", at)
	}
	if err != nil {
		return nil, fail(ctx, "go on with", up.key, err)
	}
	t.size = at
	t.cur = t.newPart(at)
	return t, nil
}

// Streamed implements storage.Streamer.
func (s *Store) Streamed(ctx context.Context, token string) (there storage.Streamed, err error) {
	up, err := s.begun(token)
	if err != nil {
		return there, fail(ctx, "look at", asset.Root, err)
	}
	var end int64
	err = up.eachPart(ctx, func(p minio.ObjectPart) bool {
		end += p.Size
		there.Ends = append(there.Ends, end)
		if p.LastModified.After(there.Changed) {
			there.Changed = p.LastModified
		}
		return true
	})
	return there, fail(ctx, "look at", up.key, err)
}

// GiveUp implements storage.Streamer.
func (s *Store) GiveUp(ctx context.Context, token string) error {
	up, err := s.begun(token)
	if err == nil {
		err = s.abandon(ctx, up.name, up.id)
	}
	if err != nil {
		return fail(ctx, "give up", asset.Root, err)
	}
	up.ended(ctx)
	return nil
}

// eachPart calls do with the parts that the server has from the first on, without a gap, while it wants more.
func (u *running) eachPart(ctx context.Context, do func(minio.ObjectPart) bool) error {
	for next := 1; ; {
		var page minio.ListObjectPartsResult
		err := again(ctx, func() (err error) {
			page, err = u.s.client.ListObjectParts(ctx, u.s.at.bucket, u.name, u.id, next-1, maxParts)
			return err
		})
		if hasCode(err, codeNoUpload) {
			return fs.ErrNotExist
		}
		if err != nil {
			return err
		}
		for _, p := range page.ObjectParts {
			if p.PartNumber != next || !do(p) {
				return nil
			}
			next++
		}
		if !page.IsTruncated || len(page.ObjectParts) == 0 {
			return nil
		}
	}
}

func (t *stream) Key() asset.Key { return t.up.key }

func (t *stream) Size() int64 { return t.size }

// Token is empty until the upload is begun.
func (t *stream) Token() string {
	if t.up.id == "" || t.done != nil {
		return ""
	}
	b, err := json.Marshal(ticket{Key: t.up.key, ID: t.up.id, Writer: t.up.writer, Note: t.up.noteID})
	if err != nil {
		return ""
	}
	return string(b)
}

// Sent also learns what has arrived. What did not is told when the stream needs it.
func (t *stream) Sent() int64 {
	_ = t.reap()
	return t.sent
}

// Write fills one part after the other. It waits while too many are on their way.
func (t *stream) Write(p []byte) (n int, err error) {
	for len(p) > 0 {
		if err := t.room(); err != nil {
			return n, err
		}
		wrote, err := t.cur.Write(p[:min(int64(len(p)), t.cur.full-t.cur.Size())])
		t.size += int64(wrote)
		n, p = n+wrote, p[wrote:]
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// room makes sure that the part that is being filled has some.
func (t *stream) room() error {
	switch {
	case t.done != nil:
		return t.done
	case t.cur.ended != nil:
		return errPublished
	case t.cur.Size() < t.cur.full:
		return nil
	}
	if err := t.next(); err != nil {
		return fail(t.ctx, "stream", t.up.key, err)
	}
	return nil
}

// next sends the part that is full, and begins another.
func (t *stream) next() error {
	if t.up.id == "" {
		if err := t.up.begin(t.ctx); err != nil {
			t.up.id = "" // it was given up
			return err
		}
	}
	if err := t.send(t.ctx, t.cur, atOnceStream-1); err != nil {
		return err
	}
	t.cur = t.newPart(t.size)
	return nil
}

// ReadAt reads what the server is not known to have yet.
func (t *stream) ReadAt(p []byte, off int64) (n int, err error) {
	if off < t.sent && t.up.id != "" {
		return 0, fmt.Errorf("byte %d of a stream was sent already", off)
	}
	for n < len(p) {
		if off >= t.size {
			return n, io.EOF
		}
		in := t.holding(off)
		end := min(int64(len(p)), int64(n)+in.start+in.Size()-off)
		read, err := in.ReadAt(p[n:end], off-in.start)
		n, off = n+read, off+int64(read)
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// holding is the part in which an offset is.
func (t *stream) holding(off int64) *part {
	for _, p := range t.window {
		if off < p.start+p.Size() {
			return p
		}
	}
	return t.cur
}

// Flush waits for what is on its way. The part that is not full can be lost only together with the process.
func (t *stream) Flush(ctx context.Context) error {
	if err := cmp.Or(t.done, ended(ctx, "flush", t.up.key)); err != nil {
		return err
	}
	return t.Settle(ctx)
}

// Settle implements storage.Stream. It tries again what did not arrive.
func (t *stream) Settle(ctx context.Context) error {
	t.resend()
	return fail(ctx, "stream", t.up.key, t.await(ctx, 0))
}

// Publish sends the rest, and takes the step that shows the object.
func (t *stream) Publish(ctx context.Context, key asset.Key, o storage.PutOptions) (storage.Object, error) {
	obj, err := t.publish(ctx, key, o)
	if err != nil {
		return storage.Object{}, fail(ctx, "publish", key, err)
	}
	return obj, t.end(errPublished)
}

func (t *stream) publish(ctx context.Context, key asset.Key, o storage.PutOptions) (storage.Object, error) {
	switch err := cmp.Or(t.done, ended(ctx, "publish", key)); {
	case err != nil:
		return storage.Object{}, err
	case t.up.id == "":
		return t.up.s.publish(ctx, key, t.cur.body(), o)
	case key != t.up.key || o.IfVersion != "":
		return storage.Object{}, fmt.Errorf("the stream for %s can be published as nothing else", t.up.key.Quoted())
	}
	t.resend()
	if t.cur.Size() > 0 && t.cur.ended == nil {
		if err := t.send(ctx, t.cur, atOnceStream); err != nil {
			return storage.Object{}, err
		}
	}
	if err := t.await(ctx, 0); err != nil {
		return storage.Object{}, err
	}
	obj, err := t.up.complete(ctx, t.have, t.size, o)
	if err == nil && obj.Size != t.size {
		err = fmt.Errorf("somebody else ended this stream, with %d bytes instead of %d", obj.Size, t.size)
	}
	return obj, err
}

// Leave implements storage.Stream. Parts on their way are waited for: one that is cut may arrive all the same, behind what comes next.
func (t *stream) Leave() error {
	if t.done == nil {
		t.quiet(tidyTime)
	}
	return t.end(errLeft)
}

// Discard implements storage.Staged. Parts on their way are waited for, as in Leave.
func (t *stream) Discard() error {
	if t.done != nil || t.up.id == "" {
		return t.end(errDiscarded)
	}
	arrived := t.quiet(tidyTime)
	err := t.end(errDiscarded)
	t.up.giveUp(t.ctx, arrived)
	return err
}

// end lets go of what is on this machine.
func (t *stream) end(why error) error {
	if t.done != nil {
		return nil
	}
	t.done = why
	return errors.Join(t.stop(), t.cur.Discard())
}
