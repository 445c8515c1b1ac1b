package consul

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"go.uber.org/zap"

	"hotfolderd/leases"
)

// DefaultTTL of a session. Consul ends it after twice that time without a renewal.
const DefaultTTL = 10 * time.Second

const (
	renewals    = 4  // in one TTL
	marginPart  = 10 // of the TTL is the margin
	firstPause  = 100 * time.Millisecond
	mostPause   = 5 * time.Second
	destroyTime = 3 * time.Second
	tellEvery   = time.Minute // that there is no session yet
)

// KeepOptions say whose session is kept.
type KeepOptions struct {
	// Namespace and Node name the entry of Consul's catalog that the session is bound to, see [Policy]. Several keepers may
	// share one: each has a session of its own.
	Namespace, Node string
	// TTL is 10 s when it is 0. Consul's own default allows no shorter one.
	TTL time.Duration
	Log *zap.Logger // nil is silent
}

// Keeper always has a session: it renews it and makes a new one when it was lost. Safe for concurrent use.
type Keeper struct {
	conn *Conn
	node string
	ttl  time.Duration
	log  *zap.Logger
	stop context.CancelFunc
	done chan struct{}

	mu      sync.Mutex
	now     *Session
	changed chan struct{} // closed with each new session
	err     error         // of the end
}

// Keep registers the node in Consul's catalog and makes the first session; ctx bounds only that. It is tried once at every
// address. A session that an earlier process of this node left is not touched: who decides that it is dead destroys it with
// [Conn.DestroySession]. Close ends what Keep started.
func Keep(ctx context.Context, conn *Conn, o KeepOptions) (*Keeper, error) {
	k := &Keeper{
		conn: conn, node: catalogNode(o.Namespace, o.Node), ttl: o.TTL, log: o.Log,
		done: make(chan struct{}), changed: make(chan struct{}),
	}
	if k.ttl <= 0 {
		k.ttl = DefaultTTL
	}
	if k.log == nil {
		k.log = zap.NewNop()
	}
	s, err := k.open(ctx)
	if err != nil {
		return nil, err
	}
	k.now = s
	life, stop := context.WithCancel(context.Background()) // cleanup: Close
	k.stop = stop
	go k.run(life)
	return k, nil
}

// open registers and makes a session.
func (k *Keeper) open(ctx context.Context) (*Session, error) {
	if err := k.conn.register(ctx, k.node); err != nil {
		return nil, fmt.Errorf("register %s in consul's catalog: %w", k.node, err)
	}
	id, sent, err := k.conn.createSession(ctx, k.node, k.ttl)
	if err != nil {
		return nil, fmt.Errorf("make a session in consul: %w", err)
	}
	return newSession(id, k.ttl-k.ttl/marginPart, sent), nil
}

// Current is the newest session, never nil. It may have ended.
func (k *Keeper) Current() *Session {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.now
}

// Next waits for a session that is not after. It returns [leases.ErrClosed] once the keeper is closed.
func (k *Keeper) Next(ctx context.Context, after *Session) (*Session, error) {
	for {
		k.mu.Lock()
		now, changed := k.now, k.changed
		k.mu.Unlock()
		if now != after {
			return now, nil
		}
		select {
		case <-changed:
		case <-k.done:
			return nil, leases.ErrClosed
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// Close ends the session's context with [leases.ErrClosed], destroys the session and ends all that runs. The error says that
// Consul was not told: then the session ends by itself, after twice its TTL. Idempotent.
func (k *Keeper) Close() error {
	k.stop()
	<-k.done
	return k.err
}

// run keeps one session after another until ctx ends.
func (k *Keeper) run(ctx context.Context) {
	defer close(k.done)
	for ctx.Err() == nil {
		s := k.Current()
		k.keep(ctx, s)
		if ctx.Err() == nil {
			k.log.Warn("the consul session is lost", zap.String("session", s.id), zap.Error(context.Cause(s.ctx)))
			k.replace(ctx, s)
		}
	}
	k.err = k.part()
}

// part is the last thing that the keeper does.
func (k *Keeper) part() error {
	s := k.Current()
	s.finish(leases.ErrClosed)
	ctx, cancel := context.WithTimeout(context.Background(), destroyTime) // cleanup: bounded by destroyTime
	defer cancel()
	if err := k.conn.DestroySession(ctx, s.id); err != nil {
		return fmt.Errorf("destroy the consul session: %w", err)
	}
	return nil
}

// replace destroys the lost session, so that its names are free, and makes a new one, for as long as it takes.
func (k *Keeper) replace(ctx context.Context, lost *Session) {
	begin, told := time.Now(), time.Time{}
	for pause := firstPause; ctx.Err() == nil; pause = min(2*pause, mostPause) {
		err := k.conn.DestroySession(ctx, lost.id)
		if err == nil {
			var s *Session
			if s, err = k.open(ctx); err == nil {
				k.set(s)
				return
			}
		}
		if ctx.Err() == nil && time.Since(told) >= tellEvery {
			told = time.Now()
			k.log.Warn("no new consul session yet", zap.Duration("took", time.Since(begin).Round(time.Millisecond)), zap.Error(err))
		}
		sleep(ctx, pause/2+rand.N(pause))
	}
}

func (k *Keeper) set(s *Session) {
	k.log.Info("a new consul session", zap.String("session", s.id))
	k.mu.Lock()
	defer k.mu.Unlock()
	k.now = s
	close(k.changed)
	k.changed = make(chan struct{})
}
