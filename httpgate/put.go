package httpgate

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"time"

	"go.uber.org/zap"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// Arrival is a file that is about to come.
type Arrival struct {
	Hotfolder string
	Key       asset.Key
	Size      int64      // below 0: not known
	Hash      asset.Hash // that its bytes must have; zero: not known
}

// Drop is a file that came whole and is durable.
type Drop struct {
	Hotfolder string
	Key       asset.Key
	Size      int64
	Hash      asset.Hash    // zero: not known any more
	Version   asset.Version // empty while it waits
	// Waits: another drop has the name. As soon as that was imported this one gets it, by whatever node lives then.
	Waits bool
}

// ID is the drop's name in the ledger; empty while it waits.
func (d Drop) ID() asset.DropID {
	if d.Waits {
		return ""
	}
	return asset.Drop{Hotfolder: d.Hotfolder, Key: d.Key, Version: d.Version}.ID()
}

// Put takes all of r as one drop, or nothing. What the rule refuses is refused before the first byte is read. An error of r stores
// nothing.
func (g *Gate) Put(ctx context.Context, a Arrival, r io.Reader) (d Drop, err error) {
	g.hand.Add(1)
	defer g.hand.Add(-1)
	came := &counted{r: r}
	defer func() { g.told("put", d, err, came) }()
	p, err := g.place(a.Hotfolder, a.Key)
	if err == nil {
		err = g.allow(ctx, p, a.Size)
	}
	if err != nil {
		return Drop{}, err
	}
	staged, err := p.folder.Store.Stage(ctx)
	if err != nil {
		return Drop{}, err
	}
	u := &upload{g: g, place: p, staged: staged, sum: sha256.New()}
	defer u.discard()
	if err := u.receive(came); err != nil {
		return Drop{}, err
	}
	if err := u.asDeclared(a); err != nil {
		return Drop{}, err
	}
	return u.finish(ctx)
}

// told counts an upload.
func (g *Gate) told(way string, d Drop, err error, came *counted) {
	result := resultStored
	switch {
	case err != nil && came.err != nil:
		result = resultCut
	case err != nil:
		result = resultRefused
	case d.Waits:
		result = resultWaits
	}
	g.metrics.uploads.WithLabelValues(way, result).Inc()
	g.metrics.bytes.Add(float64(came.n))
}

// counted counts bytes, and remembers the client's error.
type counted struct {
	r   io.Reader
	n   int64
	err error
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		c.err = err
	}
	return n, err
}

// upload is one file from its first byte to its name.
type upload struct {
	g      *Gate
	place  place
	staged storage.Staged
	sum    hash.Hash // of all bytes; nil when they were not all seen
}

func (u *upload) discard() {
	if err := u.staged.Discard(); err != nil {
		u.g.o.Log.Warn("staged bytes were left", zap.Error(err))
	}
}

// receive stages all of r, and hashes it.
func (u *upload) receive(r io.Reader) error {
	most := u.place.folder.MaxSize
	if most > 0 {
		r = io.LimitReader(r, most-u.staged.Size()+1)
	}
	_, err := io.Copy(u, r)
	if err == nil && most > 0 && u.staged.Size() > most {
		err = tooLarge(most)
	}
	return err
}

// Write stages and hashes; for io.Copy.
func (u *upload) Write(b []byte) (int, error) {
	n, err := u.staged.Write(b)
	if err != nil {
		return n, fmt.Errorf("stage: %w", err)
	}
	if u.sum != nil {
		u.sum.Write(b)
	}
	return n, nil
}

// asDeclared holds what came against what the client said of it.
func (u *upload) asDeclared(a Arrival) error {
	if a.Size >= 0 && u.staged.Size() != a.Size {
		return refuse(http.StatusBadRequest, "%d bytes came, %d were declared", u.staged.Size(), a.Size)
	}
	if h := u.hash(); !a.Hash.IsZero() && h != a.Hash {
		return refuse(http.StatusBadRequest, "the bytes have the SHA-256 %s, not the one that was sent with them", h)
	}
	return nil
}

func (u *upload) hash() (h asset.Hash) {
	if u.sum != nil {
		u.sum.Sum(h[:0])
	}
	return h
}

// check is what can be said only of complete bytes.
func (u *upload) check(ctx context.Context) error {
	if err := u.place.sizeFits(u.staged.Size()); err != nil {
		return err
	}
	err := u.g.o.Check(ctx, Upload{Hotfolder: u.place.hotfolder, Key: u.place.key, Size: u.staged.Size(), Bytes: u.staged})
	if err != nil && ctx.Err() == nil {
		return refuse(http.StatusUnprocessableEntity, "%s", err)
	}
	return err
}

// finish checks the complete bytes and gives them their name. Those of one name take turns.
func (u *upload) finish(ctx context.Context) (Drop, error) {
	if err := u.check(ctx); err != nil {
		return Drop{}, err
	}
	d := Drop{Hotfolder: u.place.hotfolder, Key: u.place.key, Size: u.staged.Size(), Hash: u.hash()}
	done := u.g.turns.take(u.place)
	defer done()
	for wait := firstWait; ; wait = min(2*wait, lastWait) {
		u.g.o.Naming(d.Hotfolder, d.Key, "")
		o, err := u.staged.Publish(ctx, u.place.full(), storage.PutOptions{IfAbsent: true})
		switch {
		case err == nil:
			return u.named(d, o), nil
		case !isTaken(err):
			return Drop{}, fmt.Errorf("store %s: %w", u.place.key.Quoted(), err)
		case u.g.makeWay(ctx, u.place):
			continue
		case ctx.Err() != nil:
			return Drop{}, context.Cause(ctx)
		case wait == lastWait:
			return u.queue(ctx, d)
		}
		pause(ctx, wait)
	}
}

// How long an upload waits for the drop that has its name before it is put in a queue: about a second and a half.
const (
	firstWait = 10 * time.Millisecond
	lastWait  = time.Second
)

// named lets go of the bytes, since what is open for writing is not taken, and tells the walk.
func (u *upload) named(d Drop, o storage.Object) Drop {
	d.Version = o.Version
	u.g.o.Naming(d.Hotfolder, d.Key, o.Version)
	u.discard()
	u.g.o.Heard(d.Hotfolder, d.Key, o.Version)
	return d
}

// queue makes the bytes durable without a name. The sweep names them when the name is free.
func (u *upload) queue(ctx context.Context, d Drop) (Drop, error) {
	at, err := u.g.names.New(ctx, u.place.folder.Folder, d.Hotfolder, d.Key, "")
	if err == nil {
		_, err = u.staged.Publish(ctx, at, storage.PutOptions{IfAbsent: true})
	}
	if err != nil {
		return Drop{}, fmt.Errorf("store %s: %w", d.Key.Quoted(), err)
	}
	u.discard()
	u.g.left.Add(at)
	d.Waits = true
	return d, nil
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
