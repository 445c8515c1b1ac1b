package client

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"hotfolderd/asset"
)

// request is one that may be sent to any node, and again.
type request struct {
	method string
	path   string // escaped, with its query
	header http.Header
	writes bool
	once   bool           // sent once only where it may have arrived: it is not the same when it is repeated
	body   func() *upload // a new one for each time that it is sent; nil: none
	broken func() error   // why body cannot be sent again; nil: it always can
}

// answer is one of success; the caller closes its body.
type answer struct {
	*http.Response
	base string
}

// mostTries bounds tries that each went well for a while, as an upload does that breaks off near its end.
const mostTries = 20

// do sends a request until a node serves it, refuses it, or the patience is over.
func (c *Client) do(ctx context.Context, q request) (*answer, error) {
	var last error
	lost, deadline := false, time.Now().Add(c.o.Patience)
	for range mostTries {
		c.learn(ctx, last != nil)
		base, err := c.fleet.pick(ctx, q.writes, deadline)
		if err != nil {
			return nil, c.gaveUp(ctx, last)
		}
		began := time.Now()
		res, err := c.send(ctx, base, q)
		if err == nil {
			c.fleet.served(base)
			return &answer{res, base}, nil
		}
		var told *Error
		refused := errors.As(err, &told)
		if refused {
			told.again = lost
		}
		if ctx.Err() != nil || refused && !told.elsewhere() || q.broken != nil && q.broken() != nil {
			return nil, err
		}
		after := time.Duration(0)
		if refused {
			after = told.after
		}
		lost = lost || !refused || told.Status != http.StatusServiceUnavailable
		last = err
		c.fleet.failed(base, err, after)
		if q.once && lost {
			return nil, noNode(err)
		}
		if time.Since(began) > c.o.Patience/4 { // it did not fail at once: that is no time without a node
			deadline = time.Now().Add(c.o.Patience)
		}
	}
	return nil, noNode(last)
}

// gaveUp is the error of who waited in vain.
func (c *Client) gaveUp(ctx context.Context, last error) error {
	if ctx.Err() != nil {
		return errors.Join(context.Cause(ctx), last)
	}
	return noNode(last)
}

// send sends a request to one node. The body of the answer goes on being watched until it is closed.
func (c *Client) send(ctx context.Context, base string, q request) (*http.Response, error) {
	ctx, w := c.watch(ctx, base)
	req, err := http.NewRequestWithContext(ctx, q.method, base+q.path, nil)
	if err != nil {
		w.end()
		return nil, err
	}
	for k, v := range q.header {
		req.Header[k] = v
	}
	c.show(req)
	if index := c.indexes.header(); index != "" && !q.writes {
		req.Header.Set(indexHeader, index)
	}
	if q.body != nil {
		b := q.body()
		b.moved = w.moved
		req.Body, req.ContentLength = b, b.size
		if b.size == 0 {
			req.Body = http.NoBody
		}
		if b.size > bigBody {
			req.Header.Set("Expect", "100-continue")
		}
		defer b.Close() // nothing reads of the source any more when this returns
	}
	res, err := c.http.Do(req)
	if err != nil {
		w.end()
		return nil, unwrapped(ctx, base, err)
	}
	if index := res.Header.Get(indexHeader); index != "" {
		c.indexes.saw(index)
	}
	if res.StatusCode >= 400 {
		err := errorOf(res, base)
		w.end()
		return nil, err
	}
	res.Body = &watched{res.Body, w}
	return res, nil
}

// bigBody is from when on a node is asked before a body is sent.
const bigBody = 256 << 10

// unwrapped is an error of the connection without the URL, which holds names from outside.
func unwrapped(ctx context.Context, base string, err error) error {
	if cause := context.Cause(ctx); cause != nil && errors.Is(cause, errSilent) {
		err = cause
	}
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return fmt.Errorf("%s: %w", base, err)
}

func (c *Client) show(req *http.Request) {
	req.Header.Set("User-Agent", "hotfolderd-client")
	if c.o.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.o.Token)
	}
}

// assetPath is the path of a name in the API.
func assetPath(name asset.Key) string { return "/v1/assets/" + escaped(name) }

// escaped keeps the slashes of a name.
func escaped(name asset.Key) string {
	parts := strings.Split(string(name), "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return strings.Join(parts, "/")
}

// word names one write.
func word() string { return rand.Text() }

func drained(body io.ReadCloser) {
	_, _ = io.Copy(io.Discard, io.LimitReader(body, maxProblem)) // so that the connection can be used again
	_ = body.Close()
}
