package cluster

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"go.uber.org/zap"
)

const withdrawTime = 2 * time.Second

// observe probes the successors on the ring until ctx ends, whoever they are at the moment.
func (c *Cluster) observe(ctx context.Context) {
	changed, stop := c.Subscribe()
	defer stop()
	var wg sync.WaitGroup
	defer wg.Wait()
	r := newRound()
	for {
		for _, e := range r.renew(ringOf(c.entriesNow()).targets(c.o.Self.ID, c.o.Probe.Targets)) {
			tctx, returned, turn, ended := r.begin(ctx, e)
			wg.Go(func() {
				defer close(ended)
				<-turn
				c.watchOver(tctx, e, returned)
			})
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
	}
}

// watchOver probes one member until ctx ends, and says and withdraws that it is suspected.
func (c *Cluster) watchOver(ctx context.Context, e entry, returned bool) {
	s := suspicion{o: c.o.Probe, returned: returned}
	said := "" // the session under which it is said
	defer func() {
		if said != "" {
			c.withdraw(context.WithoutCancel(ctx), e)
		}
	}()
	for ctx.Err() == nil {
		asked := time.Now()
		a, seen := c.prober.ask(ctx, e.Address, e.Instance)
		if seen == c.o.Self.Instance {
			a = silent // its address leads to us: a wrong setting, no death
		}
		if ctx.Err() != nil {
			return
		}
		s.note(a, asked)
		said = c.say(ctx, e, &s, said)
		sleep(ctx, s.pause()-time.Since(asked))
	}
}

// say writes or withdraws the suspicion, and returns the session under which it is written now.
func (c *Cluster) say(ctx context.Context, e entry, s *suspicion, said string) string {
	if !c.hasContact() {
		s.reset()
		return said
	}
	session := c.o.Keeper.Current().ID()
	switch dead := s.dead(time.Now()); {
	case dead && said != session:
		if c.suspect(ctx, e, session) {
			return session
		}
	case !dead && said != "":
		if c.withdraw(ctx, e) {
			return ""
		}
	}
	return said
}

// suspect writes that this node cannot reach the member.
func (c *Cluster) suspect(ctx context.Context, e entry, session string) bool {
	value, err := json.Marshal(suspectsValue{Instance: e.Instance, Session: e.session})
	if err != nil {
		return false
	}
	_, ok, err := c.o.Conn.Acquire(ctx, session, c.suspectKey(e.ID), value)
	if err != nil || !ok {
		return false
	}
	c.o.Log.Info("a member cannot be reached", zap.String("node", e.ID), zap.String("instance", e.Instance), zap.String("address", e.Address))
	c.metrics.suspicions.Inc()
	return true
}

// withdraw takes the suspicion back. It outlives the caller's ctx where that has no end.
func (c *Cluster) withdraw(ctx context.Context, e entry) bool {
	ctx, cancel := context.WithTimeout(ctx, withdrawTime)
	defer cancel()
	return c.o.Conn.Delete(ctx, c.suspectKey(e.ID)) == nil
}

func (c *Cluster) suspectKey(id string) string { return c.root + suspectsDir + id + "/" + c.o.Self.ID }
