package consul

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"go.uber.org/zap"
)

const (
	shortestTry  = 250 * time.Millisecond // that a renewal is given to be answered
	longestLook  = 2500 * time.Millisecond
	sessionFloor = 100 * time.Millisecond // shortest time between two looks at the session
)

// keep renews and watches a session; it returns when the session has ended.
func (k *Keeper) keep(ctx context.Context, s *Session) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	var wg sync.WaitGroup
	wg.Go(func() { k.renew(ctx, s) })
	wg.Go(func() { k.watch(ctx, s) })
	wg.Wait()
}

// renew asks for more time every quarter of the TTL, and oftener after a try that nobody answered.
func (k *Keeper) renew(ctx context.Context, s *Session) {
	every := k.ttl / renewals
	for pause := every; ctx.Err() == nil; {
		sleep(ctx, pause)
		sent, known, err := k.conn.renewSession(ctx, s.id, max(every, shortestTry))
		pause = every
		switch {
		case ctx.Err() != nil:
		case err != nil:
			k.log.Debug("the consul session was not renewed", zap.Error(err))
			pause = every/8 + rand.N(every/8)
		case known:
			s.renewed(sent)
		default:
			k.confirmGone(ctx, s)
		}
	}
}

// watch notices that somebody destroyed the session, sooner than the next renewal would.
func (k *Keeper) watch(ctx context.Context, s *Session) {
	wait := min(max(k.ttl/renewals, shortestTry), longestLook)
	for index := uint64(0); ctx.Err() == nil; {
		begin := time.Now()
		known, now, err := k.conn.sessionChanged(ctx, s.id, index, wait)
		switch {
		case ctx.Err() != nil:
		case err != nil:
			now = 0
			sleep(ctx, wait/4+rand.N(wait/4))
		case !known:
			k.confirmGone(ctx, s)
		}
		index = now
		sleep(ctx, sessionFloor-time.Since(begin))
	}
}

// confirmGone asks the leader for certain: a new one may not have read its whole log yet.
func (k *Keeper) confirmGone(ctx context.Context, s *Session) {
	if alive, err := k.conn.SessionAlive(ctx, s.id); err == nil && !alive {
		s.lost("consul says that the session is gone")
	}
}
