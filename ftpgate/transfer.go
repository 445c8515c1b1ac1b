package ftpgate

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

const bufferSize = 64 << 10 // of one transfer

// buffers of transfers that have ended.
type buffers struct{ pool sync.Pool }

func newBuffers() *buffers {
	return &buffers{sync.Pool{New: func() any { return new([bufferSize]byte) }}}
}

func (b *buffers) get() *[bufferSize]byte  { return b.pool.Get().(*[bufferSize]byte) }
func (b *buffers) put(p *[bufferSize]byte) { b.pool.Put(p) }

// transfer is what a session does with its data connection.
type transfer struct {
	kind  string // upload, download or list
	path  string // in the user's view
	since time.Time
	moved atomic.Int64 // bytes
}

// start begins a transfer. Its context ends when the client leaves or says ABOR, or when the session is ended; the cause says
// which. end must be called, and is idempotent.
func (s *session) start(kind, path string) (ctx context.Context, t *transfer, end func()) {
	ctx, cancel := context.WithCancelCause(s.ctx)
	t = &transfer{kind: kind, path: path, since: time.Now()}
	s.setTransfer(t)
	s.c.watch.Store(&watcher{line: func(l line) bool { return s.duringTransfer(t, l, cancel) }, gone: cancel})
	if s.c.aborts.Load() > 0 {
		cancel(errAborted) // it came behind the command that begins here
	}
	select {
	case <-s.c.gone: // before anybody watched
		cancel(s.c.why)
	default:
	}
	var once sync.Once
	return ctx, t, func() {
		once.Do(func() {
			s.c.watch.Store(nil)
			s.setTransfer(nil)
			cancel(nil)
		})
	}
}

func (s *session) setTransfer(t *transfer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.transfer = t
}

// duringTransfer looks at what a client says while data moves. STAT is answered at once; ABOR ends the transfer, and is answered
// in its turn; all else waits.
func (s *session) duringTransfer(t *transfer, l line, cancel context.CancelCauseFunc) (taken bool) {
	switch {
	case l.verb == "ABOR":
		cancel(errAborted)
	case l.verb == "STAT" && l.param == "":
		s.reply(213, "%s of %s: %d bytes in %s", t.kind, t.path, t.moved.Load(), time.Since(t.since).Round(time.Millisecond))
		return true
	}
	return false
}

// cmdAbor answers ABOR behind a transfer, which has ended by now, or when there was none.
func (s *session) cmdAbor(string) {
	s.c.aborts.Add(-1)
	s.dropData()
	s.reply(226, "nothing is going on now")
}

// causeOf is why a transfer broke: what ended its context, if anything did, before the error that this led to.
func causeOf(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// send opens the data connection, lets write fill it, and tells the client how it went.
func (s *session) sendData(kind, path string, write func(ctx context.Context, t *transfer, d *dataConn) error) error {
	ctx, t, end := s.start(kind, path)
	defer end()
	d, err := s.connect(ctx, "here it comes")
	if err != nil {
		return causeOf(ctx, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = d.raw.Close() })
	defer stop()
	err = write(ctx, t, d)
	if err == nil {
		err = d.finish()
	} else {
		_ = d.raw.Close()
	}
	return causeOf(ctx, err)
}

// errCut says that a data connection broke.
var errCut = errors.New("the data connection broke")
