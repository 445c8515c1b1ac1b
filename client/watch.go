package client

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const (
	quietTime    = 2 * time.Second // without a byte of a request: then the node is asked whether it lives
	probeTimeout = 2 * time.Second
	mostSilent   = 3 // probes without an answer
)

// errSilent: a node that was asked did not answer, nor did it say that it lives.
var errSilent = errors.New("the node does not answer any more")

// watcher looks after one request: while nothing moves, it asks the node whether it lives. A node that was stopped, or whose network is
// gone, ends no connection by itself.
type watcher struct {
	last   atomic.Int64 // when something moved, in nanoseconds since the epoch
	cancel context.CancelCauseFunc
	joined sync.WaitGroup
}

func (c *Client) watch(ctx context.Context, base string) (context.Context, *watcher) {
	ctx, cancel := context.WithCancelCause(ctx)
	w := &watcher{cancel: cancel}
	w.moved()
	w.joined.Go(func() { c.lookAfter(ctx, w, base) })
	return ctx, w
}

func (w *watcher) moved() { w.last.Store(time.Now().UnixNano()) }

// end ends the request too.
func (w *watcher) end() {
	w.cancel(context.Canceled)
	w.joined.Wait()
}

func (c *Client) lookAfter(ctx context.Context, w *watcher, base string) {
	silent := 0
	for sleep(ctx, quietTime/2) == nil {
		if time.Since(time.Unix(0, w.last.Load())) < quietTime || c.lives(ctx, base) {
			silent = 0
			continue
		}
		if silent++; silent == mostSilent {
			w.cancel(errSilent)
		}
	}
}

// lives asks a node for its word that its process answers.
func (c *Client) lives(ctx context.Context, base string) bool {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/livez", nil)
	if err != nil {
		return false
	}
	res, err := c.http.Do(req)
	if err != nil {
		return false
	}
	drained(res.Body)
	return true
}

// watched is the body of an answer.
type watched struct {
	io.ReadCloser
	w *watcher
}

func (b *watched) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		b.w.moved()
	}
	return n, err
}

func (b *watched) Close() error {
	err := b.ReadCloser.Close()
	b.w.end()
	return err
}
