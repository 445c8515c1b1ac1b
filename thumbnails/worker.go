package thumbnails

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"sync"
)

// ServeWorker is what a child of a [NewPool] runs, with its standard input and output: it renders one image after the
// other until in ends, which is not an error, or ctx does. Nothing else may write to out. It sets the memory limit of
// the whole process, so it is for a process of its own.
func ServeWorker(ctx context.Context, in io.Reader, out io.Writer) error {
	return serve(ctx, in, out, NewImaging())
}

func serve(ctx context.Context, in io.Reader, out io.Writer, e Engine) error {
	if c, ok := in.(io.Closer); ok {
		stop := context.AfterFunc(ctx, func() { _ = c.Close() })
		defer stop()
	}
	w := newWire(in, out)
	for ctx.Err() == nil {
		b, err := w.expect(msgRequest, jsonBytes)
		if errors.Is(err, io.EOF) || ctx.Err() != nil {
			break
		}
		if err == nil {
			err = serveOne(ctx, w, e, b)
		}
		if err != nil {
			return fmt.Errorf("thumbnail worker: %w", err)
		}
	}
	return context.Cause(ctx)
}

// serveOne renders one image. Its error is about the conversation; what is wrong with the image goes into the answer.
func serveOne(ctx context.Context, w *wire, e Engine, b []byte) error {
	var q request
	if err := json.Unmarshal(b, &q); err != nil {
		return err
	}
	// The collector works harder before the pool has to kill: a quarter is left for what it does not see.
	debug.SetMemoryLimit(q.Limits.orDefaults().Memory / 4 * 3)
	src := &remote{w: w}
	res, err := e.Render(ctx, src, q.Size, q.Spec, q.Limits)
	if src.lost != nil {
		return src.lost
	}
	return reply(w, res, err)
}

func reply(w *wire, res Result, err error) error {
	a := answer{Result: res}
	a.Result.Renditions = slices.Clone(res.Renditions)
	for i := range a.Result.Renditions {
		a.Result.Renditions[i].Data = nil
	}
	var fault *Error
	switch {
	case errors.As(err, &fault):
		a = answer{Kind: fault.Kind, Reason: clip(fault.Reason)}
		if fault.Err != nil {
			a.Detail = clip(fault.Err.Error())
		}
	case err != nil:
		a = answer{Reason: clip(err.Error())}
	}
	if err := w.sendJSON(msgAnswer, a); err != nil {
		return err
	}
	for i := range a.Result.Renditions {
		if err := w.send(msgRendition, res.Renditions[i].Data); err != nil {
			return err
		}
	}
	return w.flush()
}

// clip bounds a text that may quote an image.
func clip(s string) string {
	const most = 500
	if len(s) > most {
		return s[:most] + "..."
	}
	return s
}

// remote is the image at the other end of the wire. It keeps the last blocks, since decoders read in small steps and
// TIFFs jump to and fro.
type remote struct {
	mu     sync.Mutex
	w      *wire
	blocks [4]block
	next   int   // which block is replaced next
	lost   error // the conversation failed; nothing can be answered any more
}

type block struct {
	off  int64
	data []byte
}

// ReadAt returns fewer bytes only at the end.
func (r *remote) ReadAt(p []byte, off int64) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for n < len(p) {
		b, err := r.block((off + int64(n)) / blockBytes * blockBytes)
		if err != nil {
			return n, err
		}
		from := int(off + int64(n) - b.off)
		if from >= len(b.data) {
			return n, io.EOF
		}
		n += copy(p[n:], b.data[from:])
	}
	return n, nil
}

func (r *remote) block(off int64) (block, error) {
	for _, b := range r.blocks {
		if b.data != nil && b.off == off {
			return b, nil
		}
	}
	if r.lost != nil {
		return block{}, r.lost
	}
	data, err := r.fetch(off)
	if err != nil {
		return block{}, err
	}
	b := block{off, append([]byte{}, data...)}
	r.blocks[r.next] = b
	r.next = (r.next + 1) % len(r.blocks)
	return b, nil
}

func (r *remote) fetch(off int64) (data []byte, err error) {
	defer func() { r.lost = err }()
	if err := r.w.send(msgNeed, needBytes(off, blockBytes)); err != nil {
		return nil, err
	}
	if err := r.w.flush(); err != nil {
		return nil, err
	}
	return r.w.expect(msgData, blockBytes)
}
