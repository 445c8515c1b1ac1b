package thumbnails

import (
	"context"
	"sync"

	"hotfolderd/asset"
)

// turns lets one goroutine at a time work on one asset: the second then finds what the first made. The zero value is
// ready.
type turns struct {
	mu   sync.Mutex
	busy map[asset.Hash]chan struct{}
}

// take waits for the turn, or for ctx to end. done gives it back.
func (t *turns) take(ctx context.Context, h asset.Hash) (done func(), err error) {
	for {
		t.mu.Lock()
		wait, taken := t.busy[h]
		if !taken {
			if t.busy == nil {
				t.busy = map[asset.Hash]chan struct{}{}
			}
			t.busy[h] = make(chan struct{})
			t.mu.Unlock()
			return func() { t.give(h) }, nil
		}
		t.mu.Unlock()
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

func (t *turns) give(h asset.Hash) {
	t.mu.Lock()
	defer t.mu.Unlock()
	close(t.busy[h])
	delete(t.busy, h)
}
