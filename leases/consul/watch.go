package consul

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/hashicorp/consul/api"
)

const (
	watchWait  = time.Second            // longest silence of a watch: then it says that nothing changed
	watchGrace = 700 * time.Millisecond // how much later than that an answer may come
	watchFloor = 2 * time.Millisecond   // shortest time between two answers, so that a busy prefix costs bounded work; what comes meanwhile waits for it
	watchPause = 100 * time.Millisecond
	watchMost  = 2 * time.Second
)

// Watching takes what a watch sees. Exactly one of its functions is called at a time, never two at once.
type Watching struct {
	// Seen gets all pairs below the prefix, at the start and after each change.
	Seen func(api.KVPairs)
	// Same says that until now nothing has changed; about once a second. It may be nil.
	Same func()
	// Failed is told when no address gave an answer. It may be nil.
	Failed func(error)
}

// watching is [Watching] with the index of Consul's store at which the pairs were so.
type watching struct {
	seen   func(pairs api.KVPairs, index uint64)
	same   func()
	failed func(error)
}

// Watch looks at everything below a prefix until ctx ends, by blocking queries at the leader. It goes on after every error;
// a server that stays silent costs at most 1.7 s before the next one is asked.
func (c *Conn) Watch(ctx context.Context, prefix string, w Watching) {
	own := watching{seen: func(pairs api.KVPairs, _ uint64) { w.Seen(pairs) }, same: w.Same, failed: w.Failed}
	if own.same == nil {
		own.same = func() {}
	}
	if own.failed == nil {
		own.failed = func(error) {}
	}
	c.watch(ctx, prefix, own)
}

func (c *Conn) watch(ctx context.Context, prefix string, w watching) {
	var index uint64
	pause := watchPause
	for ctx.Err() == nil {
		begin := time.Now()
		pairs, since, now, err := c.changed(ctx, prefix, index)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			w.failed(err)
			index = 0
			sleep(ctx, pause/2+rand.N(pause))
			pause = min(2*pause, watchMost)
			continue
		case now == since:
			w.same()
		default:
			w.seen(pairs, now)
		}
		pause = watchPause
		index = now // also when it went back: the servers were restored or rebuilt
		sleep(ctx, watchFloor-time.Since(begin))
	}
}

// changed waits until the prefix is not as it was at index, or for a second. Once a server has failed it looks anew, since 0: the
// servers may have been rebuilt meanwhile, and what they hold now may have the very index that other pairs had before.
func (c *Conn) changed(ctx context.Context, prefix string, index uint64) (pairs api.KVPairs, since, now uint64, err error) {
	err = c.within(ctx, watchWait+watchGrace, func(ctx context.Context, cl *api.Client) error {
		since, index = index, 0
		var meta *api.QueryMeta
		pairs, meta, err = cl.KV().List(prefix, (&api.QueryOptions{WaitIndex: since, WaitTime: watchWait}).WithContext(ctx))
		if err = unfiltered(meta, err); err == nil {
			now = meta.LastIndex
		}
		return err
	})
	return pairs, since, now, err
}

func sleep(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
