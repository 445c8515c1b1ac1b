package thumbnails

import (
	"context"
	"fmt"
	"time"
)

// memoryLook is how often a working child's memory is looked at.
const memoryLook = 25 * time.Millisecond

// guard watches one child work on one image and kills it over a limit. The conversation with it breaks then, and the
// guard's verdict says why.
type guard struct {
	stop    chan struct{}
	done    chan struct{}
	verdict error
}

func (p *pool) guard(ctx context.Context, c *child, lim Limits) *guard {
	g := &guard{stop: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(g.done)
		if g.verdict = p.watch(ctx, c, lim, g.stop); g.verdict != nil {
			_ = c.cmd.Process.Kill()
		}
	}()
	return g
}

// end stops watching and returns the verdict, nil when the child may live.
func (g *guard) end() error {
	close(g.stop)
	<-g.done
	return g.verdict
}

func (p *pool) watch(ctx context.Context, c *child, lim Limits, stop <-chan struct{}) error {
	deadline := time.NewTimer(lim.Timeout)
	defer deadline.Stop()
	look := time.NewTicker(memoryLook)
	defer look.Stop()
	used, closer, err := memoryOf(c.cmd.Process.Pid)
	if err == nil {
		defer func() { _ = closer() }()
	}
	for {
		select {
		case <-stop:
			return nil
		case <-p.closed:
			return ErrClosed
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-deadline.C:
			return timedOut(lim)
		case <-look.C:
			if used == nil {
				continue
			}
			if n, err := used(); err == nil && n > lim.Memory {
				return &Error{Kind: TooLarge, Reason: fmt.Sprintf("rendering it takes more than %s MB of memory", mega(float64(lim.Memory)))}
			}
		}
	}
}
