package client

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"hotfolderd/asset"
)

// Info is what a node tells of a name.
type Info struct {
	Name      asset.Key  `json:"name"`
	Number    int        `json:"number"` // of the version
	Hash      asset.Hash `json:"sha256"`
	Size      int64      `json:"size"`
	Type      string     `json:"type"`
	Committed time.Time  `json:"committed,omitzero"` // to the second; zero: it was not told
}

// Stat tells what a name stands for; fs.ErrNotExist.
func (c *Client) Stat(ctx context.Context, name string) (Info, error) {
	key, err := asset.ParseKey(name)
	if err != nil {
		return Info{}, err
	}
	a, err := c.do(ctx, request{method: http.MethodHead, path: assetPath(key)})
	if err != nil {
		return Info{}, fmt.Errorf("stat %s: %w", key.Quoted(), named(err, key))
	}
	drained(a.Body)
	return infoOf(key, a.Response)
}

// named says what is missing: the answer to HEAD has no words.
func named(err error, key asset.Key) error {
	var e *Error
	if errors.As(err, &e) && e.Status == http.StatusNotFound && e.Detail == "" {
		e.Detail = "there is no asset " + key.Quoted()
	}
	return err
}

func infoOf(key asset.Key, res *http.Response) (Info, error) {
	i := Info{Name: key, Size: res.ContentLength, Type: res.Header.Get("Content-Type")}
	var err error
	if i.Hash, err = asset.ParseHash(strings.Trim(res.Header.Get("ETag"), `"`)); err != nil {
		return i, fmt.Errorf("%s is answered without a hash: %w", key.Quoted(), err)
	}
	i.Number, _ = strconv.Atoi(res.Header.Get("X-Hotfolder-Version"))
	i.Committed, _ = http.ParseTime(res.Header.Get("Last-Modified"))
	return i, nil
}

// Reader reads the bytes of one version of a name. It is for one goroutine at a time; close it.
type Reader struct {
	c    *Client
	ctx  context.Context
	info Info
	body io.ReadCloser
	from string // the node that sends them; empty: the store itself
	pos  int64
	sum  hash.Hash
	err  error // from now on
}

// Get opens what a name stands for; fs.ErrNotExist. ctx lives as long as the reader.
func (c *Client) Get(ctx context.Context, name string) (*Reader, error) {
	key, err := asset.ParseKey(name)
	if err != nil {
		return nil, err
	}
	a, err := c.do(ctx, request{method: http.MethodGet, path: assetPath(key)})
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", key.Quoted(), err)
	}
	r := &Reader{c: c, ctx: ctx, body: a.Body, from: a.base, sum: sha256.New()}
	if r.info, err = infoOf(key, a.Response); err != nil {
		drained(a.Body)
		return nil, err
	}
	if a.StatusCode == http.StatusTemporaryRedirect {
		drained(a.Body)
		if err := r.openElsewhere(a.Header.Get("Location")); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// Info is what the bytes are. The size is -1 where the store sends them and did not say.
func (r *Reader) Info() Info { return r.info }

// openElsewhere fetches the bytes from the store itself, without our token; where that fails a node sends them.
func (r *Reader) openElsewhere(location string) error {
	r.body, r.from = nil, ""
	req, err := http.NewRequestWithContext(r.ctx, http.MethodGet, location, nil)
	if err != nil {
		return err
	}
	res, err := r.c.http.Do(req)
	switch {
	case err != nil:
		return r.reopen()
	case res.StatusCode != http.StatusOK:
		drained(res.Body)
		return r.reopen()
	}
	r.body, r.info.Size = res.Body, res.ContentLength
	return nil
}

// Read goes on at another node when the connection breaks. At the end it checks the hash: [ErrCorrupt].
func (r *Reader) Read(b []byte) (int, error) {
	for tries := 0; r.err == nil; tries++ {
		if r.body == nil {
			if r.err = r.reopen(); r.err != nil {
				break
			}
		}
		n, err := r.body.Read(b)
		r.sum.Write(b[:n])
		r.pos += int64(n)
		if errors.Is(err, io.EOF) {
			r.err = r.ended()
			return n, r.err
		}
		if err != nil {
			r.broke(err, tries)
		}
		if n > 0 || err == nil {
			return n, nil
		}
	}
	return 0, r.err
}

// ended is what the last byte says: io.EOF when all is as it should be.
func (r *Reader) ended() error {
	var h asset.Hash
	if copy(h[:], r.sum.Sum(nil)); h != r.info.Hash {
		return fmt.Errorf("get %s: %w: want %s, got %s", r.info.Name.Quoted(), ErrCorrupt, r.info.Hash, h)
	}
	return io.EOF
}

func (r *Reader) broke(err error, tries int) {
	_ = r.body.Close() // it is broken already
	r.body = nil
	if r.ctx.Err() != nil || tries >= mostTries {
		r.err = fmt.Errorf("get %s: at byte %d: %w", r.info.Name.Quoted(), r.pos, errors.Join(context.Cause(r.ctx), err))
		return
	}
	r.c.fleet.failed(r.from, err, 0)
}

// reopen asks for the rest, by the hash: the name may stand for other bytes by now.
func (r *Reader) reopen() error {
	h := http.Header{}
	if r.pos > 0 {
		h.Set("Range", fmt.Sprintf("bytes=%d-", r.pos))
	}
	a, err := r.c.do(r.ctx, request{method: http.MethodGet, path: "/v1/content/" + r.info.Hash.String(), header: h})
	switch {
	case err != nil:
		return fmt.Errorf("get %s: at byte %d: %w", r.info.Name.Quoted(), r.pos, err)
	case r.pos > 0 && a.StatusCode != http.StatusPartialContent:
		drained(a.Body)
		return fmt.Errorf("get %s: a node does not send the rest: %s", r.info.Name.Quoted(), a.Status)
	}
	r.body, r.from = a.Body, a.base
	return nil
}

// Close ends the reading.
func (r *Reader) Close() error {
	if r.err == nil {
		r.err = errors.New("the reader is closed")
	}
	if r.body == nil {
		return nil
	}
	err := r.body.Close()
	r.body = nil
	return err
}
