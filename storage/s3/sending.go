package s3

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"
)

const (
	atOnceStream = 2    // parts of a stream that the server has not confirmed
	growEvery    = 1000 // parts behind which they are twice as large: so the largest object of a server has few enough
)

// part is a piece of a stream on this machine.
type part struct {
	*staged
	number int
	start  int64
	full   int64         // size
	ended  chan struct{} // closed when made or err is set; nil before it is sent off
	made   minio.CompletePart
	err    error
}

// sending are the parts of a stream on their way. Beside the goroutine that uses it there are only those that each send one part.
type sending struct {
	ctx   context.Context //nolint:containedctx // of the one who writes: it ends his waits
	up    *running
	late  context.Context    //nolint:containedctx // of the parts: it outlives ctx, so that what is kept of a broken stream is all that came
	cut   context.CancelFunc // of late
	going sync.WaitGroup

	window []*part // in their order, from the first that the server is not known to have
	have   []minio.CompletePart
	sent   int64 // bytes of those
}

func newSending(ctx context.Context, up *running) *sending {
	late, cut := context.WithCancel(context.WithoutCancel(ctx))
	return &sending{ctx: ctx, up: up, late: late, cut: cut}
}

// newPart is the part behind all others. Only the first may stay in memory: it may be all.
func (w *sending) newPart(start int64) *part {
	n := len(w.have) + len(w.window)
	p := &part{staged: w.up.s.stage(), number: n + 1, start: start, full: w.up.s.limits.streamed << (n / growEvery)}
	if n > 0 {
		p.most = 0
	}
	return p
}

// send lets a part go when at most so many others are on their way.
func (w *sending) send(ctx context.Context, p *part, others int) error {
	if err := w.await(ctx, others); err != nil {
		return err
	}
	w.window = append(w.window, p)
	w.start(p)
	return nil
}

func (w *sending) start(p *part) {
	p.ended, p.err = make(chan struct{}), nil
	w.going.Go(func() {
		defer close(p.ended)
		b := p.body()
		p.err = again(w.late, func() (err error) {
			p.made, err = w.up.s.sendPart(w.late, w.up.name, w.up.id, p.number, b.from(0, b.size), b.size, b.md5)
			return err
		})
	})
}

// resend tries those again that did not arrive.
func (w *sending) resend() {
	for _, p := range w.window {
		if p.hasEnded() && p.err != nil {
			w.start(p)
		}
	}
}

func (p *part) hasEnded() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// await returns when at most so many parts are on their way, or the first of them did not arrive.
func (w *sending) await(ctx context.Context, most int) error {
	for {
		if err := w.reap(); err != nil || len(w.window) <= most {
			return err
		}
		select {
		case <-w.window[0].ended:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// reap lets go of the parts that the server has together with all before them, and tells why the one behind them did not arrive.
func (w *sending) reap() error {
	for len(w.window) > 0 && w.window[0].hasEnded() {
		p := w.window[0]
		if p.err != nil {
			return p.err
		}
		w.window = w.window[1:]
		w.have = append(w.have, p.made)
		w.sent += p.Size()
		if err := p.Discard(); err != nil {
			return err
		}
	}
	return nil
}

// quiet waits so long until nothing is on its way, and reports whether that is so.
func (w *sending) quiet(patience time.Duration) bool {
	late := time.NewTimer(patience)
	defer late.Stop()
	for _, p := range w.window {
		select {
		case <-p.ended:
		case <-late.C:
			return false
		}
	}
	return true
}

// stop ends what is on its way, and lets go of it.
func (w *sending) stop() error {
	w.cut()
	w.going.Wait()
	var err error
	for _, p := range w.window {
		err = errors.Join(err, p.Discard())
	}
	w.window = nil
	return err
}
