package shares

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"hotfolderd/leases"
)

// batch is how many names are asked for at once: what one transaction of Consul can lock.
const batch = 64

// take acquires what is wanted and free, and returns how many partitions came.
func (s *Shares) take(ctx context.Context) (taken int) {
	var parts []*part
	s.each(func(p *part) {
		if p.wanted && p.grip.Load() == nil && !p.refused && s.free(p) {
			parts = append(parts, p)
		}
	})
	begin := time.Now()
	for b := range slices.Chunk(parts, batch) {
		n, err := s.acquire(ctx, b)
		taken += n
		if err != nil {
			s.refuse(parts)
			s.o.Log.Log(s.level(ctx), "partitions cannot be taken", zap.Int("partitions", len(parts)-taken), zap.Error(err))
			break
		}
	}
	if taken > 0 {
		s.o.Log.Info("partitions taken", zap.Int("partitions", taken), zap.Duration("took", time.Since(begin)))
	}
	return taken
}

// level of a failed try: a warning for the first of several. That Run ends is no failure.
func (s *Shares) level(ctx context.Context) zapcore.Level {
	if s.loop.fails > 0 || ctx.Err() != nil {
		return zap.DebugLevel
	}
	return zap.WarnLevel
}

func (s *Shares) free(p *part) bool {
	_, held := s.loop.in.held[p.name]
	return s.loop.in.seen && !held
}

// acquire asks for one batch. The error is a fault, of the call or of a name; that another node has a name is none.
func (s *Shares) acquire(ctx context.Context, parts []*part) (taken int, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	names := make([]string, len(parts))
	for i, p := range parts {
		names[i] = p.name
	}
	grants, err := s.o.Leaser.Acquire(ctx, names...)
	for i, g := range grants {
		switch {
		case g.Err == nil:
			parts[i].grip.Store(newGrip(g.Lease, s.signal))
			taken++
		case !errors.Is(g.Err, leases.ErrHeld):
			err = g.Err
		}
	}
	s.refuse(parts)
	return taken, err
}

// refuse puts off what was not granted.
func (s *Shares) refuse(parts []*part) {
	for _, p := range parts {
		if p.grip.Load() == nil {
			p.refused, s.loop.failed = true, true
		}
	}
}

// giveBack releases what is shut and has no walk in hand. What cannot be released is not held any more all the same: the leaser
// frees the name later, or the session's end does.
func (s *Shares) giveBack(ctx context.Context) {
	var idle []*part
	walks := 0
	s.each(func(p *part) {
		if g := p.grip.Load(); g != nil && !g.open() && (s.loop.forced || g.inHand() == 0) {
			idle = append(idle, p)
			walks += g.inHand()
		}
	})
	if len(idle) == 0 {
		return
	}
	begin := time.Now()
	err := release(ctx, idle)
	s.o.Log.Info("partitions given back", zap.Int("partitions", len(idle)), zap.Int("walks", walks),
		zap.Duration("took", time.Since(begin)), zap.Error(err))
}

// release asks for all at one moment, so that the leaser can put them together, and returns the first error. It does not end with
// ctx, since that may be why it is called.
func release(ctx context.Context, parts []*part) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTime)
	defer cancel()
	var all sync.WaitGroup
	var once sync.Once
	var first error
	start := make(chan struct{})
	for _, p := range parts {
		all.Go(func() {
			<-start
			if err := p.grip.Load().release(ctx); err != nil {
				once.Do(func() { first = err })
			}
			p.grip.Store(nil)
		})
	}
	close(start)
	all.Wait()
	return first
}
