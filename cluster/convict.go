package cluster

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"
)

// convict destroys the sessions of members that this node and enough others suspect, until ctx ends.
func (c *Cluster) convict(ctx context.Context) {
	changed, stop := c.Subscribe()
	defer stop()
	again := time.NewTicker(c.o.Probe.Interval) // what could not be done is tried again
	defer again.Stop()
	for {
		for _, e := range c.convicted() {
			if err := c.execute(ctx, e); err != nil && ctx.Err() == nil {
				c.o.Log.Warn("the session of a dead member was not destroyed", zap.String("node", e.ID), zap.Error(err))
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		case <-again.C:
		}
	}
}

// convicted are the members of whom this node says that they are gone, and enough others say so too.
func (c *Cluster) convicted() []entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.state.suspects) == 0 || !c.contact() {
		return nil
	}
	observers := map[target]map[string]bool{}
	for _, s := range c.state.suspects {
		t := target{s.Node, s.Instance, s.session}
		if observers[t] == nil {
			observers[t] = map[string]bool{}
		}
		observers[t][s.Observer] = true
	}
	var found []entry
	ring := ringOf(c.state.members)
	for _, e := range c.state.members {
		by := observers[targetOf(e)]
		if by[c.o.Self.ID] && len(by) >= ring.needed(e.ID, c.o.Probe.Targets) {
			found = append(found, e)
		}
	}
	return found
}

// execute looks again before it destroys.
func (c *Cluster) execute(ctx context.Context, e entry) error {
	pair, err := c.o.Conn.Get(ctx, c.root+membersDir+e.ID)
	if err != nil {
		return fmt.Errorf("read its entry: %w", err)
	}
	if pair == nil || pair.Session != e.session {
		return nil
	}
	if err := c.o.Conn.DestroySession(ctx, e.session); err != nil {
		return fmt.Errorf("destroy session %s: %w", e.session, err)
	}
	c.o.Log.Warn("a dead member was removed", zap.String("node", e.ID), zap.String("instance", e.Instance), zap.String("address", e.Address))
	c.metrics.removed.Inc()
	return nil
}
