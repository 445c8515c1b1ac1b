package thumbnails

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"

	"go.uber.org/zap"
)

// PoolOptions of [NewPool].
type PoolOptions struct {
	// Command starts a process that runs [ServeWorker]: this program's own path and a subcommand.
	Command []string
	// Env is all that a child gets as its environment beside two settings of the Go runtime.
	Env []string
	// Workers is the number of children; 0 is one for each processor.
	Workers int
	// Log gets what children say (debug) and their deaths (warn); nil is silent.
	Log *zap.Logger
}

// ErrClosed is what Render returns after Close.
var ErrClosed = errors.New("the thumbnail workers are closed")

// pool is an [Engine] of children. A child works on one image at a time and is started when it is first needed.
type pool struct {
	o      PoolOptions
	free   chan *child // Workers entries; nil stands for a child that is not started
	closed chan struct{}
	once   sync.Once
}

// NewPool renders in child processes, each of them one image at a time. They persist, so that no image pays for a start,
// and are killed over the limits of time and memory. An image on which a child dies is tried once more in a fresh one.
// Children end when the pool is closed or this process does, however it does. What the boundary costs is the distance
// between BenchmarkRender24MP and BenchmarkRender24MPPool.
func NewPool(o PoolOptions) (Engine, error) {
	if len(o.Command) == 0 {
		return nil, errors.New("thumbnail workers: no command")
	}
	if o.Workers <= 0 {
		o.Workers = runtime.NumCPU()
	}
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	p := &pool{o: o, free: make(chan *child, o.Workers), closed: make(chan struct{})}
	for range o.Workers {
		p.free <- nil
	}
	return p, nil
}

// Name is that of the engine in the children.
func (p *pool) Name() string { return imagingName }

// Close interrupts what is being rendered and returns when no child is left.
func (p *pool) Close() error {
	p.once.Do(func() {
		close(p.closed)
		for range p.o.Workers {
			if c := <-p.free; c != nil {
				c.stop()
			}
		}
	})
	return nil
}

// Render waits for a free child, which the limit of time does not count.
func (p *pool) Render(ctx context.Context, src io.ReaderAt, size int64, spec Spec, lim Limits) (Result, error) {
	spec, err := spec.checked()
	if err != nil {
		return Result{}, err
	}
	lim = lim.orDefaults()
	if size > lim.MaxBytes {
		return Result{}, tooManyBytes(size, lim)
	}
	c, err := p.take(ctx)
	if err != nil {
		return Result{}, err
	}
	defer func() { p.free <- c }()
	var res Result
	for range 2 {
		c, res, err = p.attempt(ctx, c, src, request{Size: size, Spec: spec, Limits: lim})
		if fault := (*Error)(nil); !errors.As(err, &fault) || fault.Kind != Crashed {
			break
		}
		p.o.Log.Warn("a thumbnail worker died", zap.Error(err))
	}
	return res, err
}

func (p *pool) take(ctx context.Context) (*child, error) {
	select {
	case <-p.closed:
		return nil, ErrClosed
	default:
	}
	select {
	case c := <-p.free:
		return c, nil
	case <-p.closed:
		return nil, ErrClosed
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// attempt renders in c, or in a new child when c is nil, and returns the child if it can be used again.
func (p *pool) attempt(ctx context.Context, c *child, src io.ReaderAt, q request) (*child, Result, error) {
	if c == nil {
		var err error
		if c, err = startChild(p.o); err != nil {
			return nil, Result{}, err
		}
	}
	g := p.guard(ctx, c, q.Limits)
	a, err := c.converse(src, q)
	if verdict := g.end(); verdict != nil {
		c.kill()
		return nil, Result{}, verdict
	}
	if read := (*readError)(nil); errors.As(err, &read) {
		c.kill()
		return nil, Result{}, err
	}
	if err != nil {
		c.kill()
		return nil, Result{}, &Error{Kind: Crashed, Reason: "the process that renders it dies of it", Err: fmt.Errorf("%w; %s", err, c.death())}
	}
	res, err := a.result()
	return c, res, err
}

// converse is one image's conversation. Its error is a [*readError], or the conversation failed.
func (c *child) converse(src io.ReaderAt, q request) (answer, error) {
	err := c.sendJSON(msgRequest, q)
	buf := make([]byte, blockBytes)
	for err == nil {
		if err = c.flush(); err != nil {
			break
		}
		var kind byte
		var b []byte
		if kind, b, err = c.receive(jsonBytes); err != nil {
			break
		}
		switch kind {
		case msgNeed:
			err = c.provide(src, q.Size, b, buf)
		case msgAnswer:
			return c.finish(b, len(q.Spec.Sizes))
		default:
			err = fmt.Errorf("a message of type %d instead of an answer", kind)
		}
	}
	return answer{}, err
}

func (c *child) provide(src io.ReaderAt, size int64, need, buf []byte) error {
	off, n, err := parseNeed(need)
	if err != nil {
		return err
	}
	n = int(min(int64(n), max(size-off, 0)))
	got, err := src.ReadAt(buf[:n], off)
	if err != nil && err != io.EOF && got < n {
		return &readError{err}
	}
	return c.send(msgData, buf[:got])
}

func (c *child) finish(b []byte, most int) (answer, error) {
	var a answer
	if err := json.Unmarshal(b, &a); err != nil {
		return a, err
	}
	if n := len(a.Result.Renditions); n > most {
		return a, fmt.Errorf("%d renditions instead of %d", n, most)
	}
	for i := range a.Result.Renditions {
		data, err := c.expect(msgRendition, renditionBytes)
		if err != nil {
			return a, err
		}
		a.Result.Renditions[i].Data = data
	}
	return a, nil
}

func (a answer) result() (Result, error) {
	switch {
	case a.Kind != 0:
		fault := &Error{Kind: a.Kind, Reason: a.Reason}
		if a.Detail != "" {
			fault.Err = errors.New(a.Detail)
		}
		return Result{}, fault
	case a.Reason != "":
		return Result{}, errors.New(a.Reason)
	}
	return a.Result, nil
}
