package client

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"strconv"
	"time"

	"hotfolderd/asset"
)

// Dropped is what a [Client.Drop] came to: bytes that are durable, and imported soon.
type Dropped struct {
	ID    asset.DropID // in the ledger; empty while an earlier drop has the name, and when the answer to the last bytes was lost
	Story string       // the path, at any node, that tells what happened to it; empty when the answer was lost
	Size  int64

	// Upload names the sending of it, for [Client.AwaitDrop]. Nodes remember it for a day, unless their settings say otherwise.
	Upload string
}

// DropOptions of [Client.Drop].
type DropOptions struct {
	Progress func(sent int64) // told of the bytes that were handed over, again from where a node goes on; may be nil
}

const (
	uploadsPath = "/v1/uploads"
	offsetType  = "application/offset+octet-stream"
	mostAnew    = 3           // times that an upload is begun again which nobody knows any more
	dropPause   = time.Second // before a node is asked again that is still busy with what was sent before
)

// Drop puts all of r, from where it stands, into a hotfolder, whole or not at all. It is one drop, however often it breaks off: what came
// is on the store that the nodes share, and goes on at another node when one dies (by the tus protocol; of a node that was killed
// the bytes of the last seconds come again). When it returns, nobody reads r any more.
func (c *Client) Drop(ctx context.Context, hotfolder, name string, r io.ReadSeeker, o DropOptions) (Dropped, error) {
	key, err := asset.ParseKey(name)
	if err != nil {
		return Dropped{}, err
	}
	s, err := newSource(r, o.Progress)
	if err == nil {
		d := &dropping{c: c, s: s, hotfolder: hotfolder, path: key}
		if err = d.all(ctx); err == nil {
			d.got.Upload = path.Base(d.at)
			return d.got, nil
		}
	}
	return Dropped{}, fmt.Errorf("drop %s: %w", key.Quoted(), err)
}

// dropping is one upload.
type dropping struct {
	c         *Client
	s         *source
	hotfolder string
	path      asset.Key
	at        string // where the nodes have it; empty before its beginning
	most      int64  // bytes that they ever had
	began     int    // times
	got       Dropped
}

// all begins the upload and sends pieces, each up to the end, until the nodes have all. Its patience is without progress.
func (d *dropping) all(ctx context.Context) error {
	deadline := time.Now().Add(d.c.o.Patience)
	for {
		before := d.most
		over, err := d.step(ctx)
		switch {
		case over:
			return nil
		case ctx.Err() != nil:
			return errors.Join(context.Cause(ctx), err)
		case d.s.fault() != nil:
			return d.s.fault()
		case err != nil && !d.mayGoOn(err):
			return err
		case d.most > before:
			deadline = time.Now().Add(d.c.o.Patience)
		case time.Now().After(deadline):
			return noNode(err)
		case err != nil:
			_ = sleep(ctx, dropPause) // its end is seen above
		}
	}
}

// mayGoOn reports whether an error is none of the upload's own. What nobody knows any more is begun again.
func (d *dropping) mayGoOn(err error) bool {
	var told *Error
	if !errors.As(err, &told) || told.elsewhere() {
		return true
	}
	switch told.Status {
	case http.StatusConflict, http.StatusLocked:
		return d.at != "" // another request has brought more; at the beginning it is about the name
	case http.StatusNotFound, http.StatusGone:
		known := d.at != ""
		d.at = ""
		return known && d.began < mostAnew
	}
	return false
}

// step is one request that brings bytes, or the end; over: all bytes are a drop.
func (d *dropping) step(ctx context.Context) (over bool, err error) {
	if d.at == "" {
		return d.begin(ctx)
	}
	from, err := d.offset(ctx)
	if err != nil {
		return false, err
	}
	d.most = max(d.most, from)
	if from == d.s.size {
		d.got.Size = from
		return true, nil // the answer that said so was lost
	}
	h := tusHeader("Upload-Offset", strconv.FormatInt(from, 10), "Content-Type", offsetType)
	a, err := d.c.do(ctx, request{
		method: http.MethodPatch, path: d.at, header: h, writes: true, once: true, broken: d.s.fault, body: func() *upload { return d.s.from(from) },
	})
	if err != nil {
		return false, err
	}
	return d.answered(a)
}

// begin tells the nodes what comes. A beginning whose answer is lost is forgotten by them in time. An empty file has its end at once.
func (d *dropping) begin(ctx context.Context) (over bool, err error) {
	d.began++
	encode := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	h := tusHeader("Upload-Length", strconv.FormatInt(d.s.size, 10),
		"Upload-Metadata", "hotfolder "+encode(d.hotfolder)+",path "+encode(string(d.path)))
	a, err := d.c.do(ctx, request{method: http.MethodPost, path: uploadsPath, header: h, writes: true})
	if err != nil {
		return false, err
	}
	d.at = a.Header.Get("Location")
	if d.at == "" || d.at[0] != '/' {
		drained(a.Body)
		return false, fmt.Errorf("%s: it answers to the beginning of an upload without a place for it", a.base)
	}
	if d.s.size > 0 {
		drained(a.Body)
		return false, nil
	}
	return d.answered(a)
}

// answered reads the answer to bytes; over when they were the last.
func (d *dropping) answered(a *answer) (over bool, err error) {
	defer drained(a.Body)
	n, err := strconv.ParseInt(a.Header.Get("Upload-Offset"), 10, 64)
	if err != nil && d.s.size > 0 {
		return false, fmt.Errorf("%s: it does not say how much came", a.base)
	}
	d.most = max(d.most, n)
	if n < d.s.size {
		return false, nil
	}
	d.got = Dropped{ID: asset.DropID(a.Header.Get("Hotfolder-Drop")), Story: a.Header.Get("Hotfolder-Story"), Size: n}
	return true, nil
}

// offset asks any node how much there is.
func (d *dropping) offset(ctx context.Context) (int64, error) {
	a, err := d.c.do(ctx, request{method: http.MethodHead, path: d.at, header: tusHeader()})
	if err != nil {
		return 0, err
	}
	drained(a.Body)
	n, err := strconv.ParseInt(a.Header.Get("Upload-Offset"), 10, 64)
	if err != nil || n < 0 || n > d.s.size {
		return 0, fmt.Errorf("%s: it does not say how much came", a.base)
	}
	return n, nil
}

// tusHeader are headers with that of the protocol's version.
func tusHeader(pairs ...string) http.Header {
	h := http.Header{"Tus-Resumable": {"1.0.0"}}
	for i := 0; i+1 < len(pairs); i += 2 {
		h.Set(pairs[i], pairs[i+1])
	}
	return h
}
