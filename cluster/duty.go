package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/hashicorp/consul/api"
	"go.uber.org/zap"
)

const (
	mainKey    = "main"
	standRetry = time.Second
)

// mainNode is the node that stays read-write with isolation: static. It is the one that goes before all others that ever
// joined, but for those that left in order or were forgotten.
type mainNode struct {
	ID       string `json:"id"`
	Priority int    `json:"priority"`
}

// giveWay reports whether m must take the place of the main node.
func (n mainNode) giveWay(m Member) bool {
	if n.ID == m.ID {
		return n.Priority != m.Priority
	}
	return n.ID == "" || m.before(Member{ID: n.ID, Priority: n.Priority})
}

func readMain(pair *api.KVPair) mainNode {
	var n mainNode
	if pair != nil && json.Unmarshal(pair.Value, &n) != nil {
		return mainNode{} // damaged is as good as none
	}
	return n
}

func (c *Cluster) seenMain(pairs api.KVPairs) {
	var n mainNode
	for _, p := range pairs {
		if p.Key == c.root+mainKey {
			n = readMain(p)
		}
	}
	c.mu.Lock()
	same := c.state.main == n
	c.state.main = n
	c.mu.Unlock()
	if !same {
		c.signal()
	}
}

// stand makes this node the main one whenever it should be, and another when it leaves, until ctx ends.
func (c *Cluster) stand(ctx context.Context) {
	if c.o.Isolation != Static {
		return
	}
	changed, stop := c.Subscribe()
	defer stop()
	for {
		if err := c.standNow(ctx); err != nil && ctx.Err() == nil {
			c.o.Log.Warn("whether this node is the main one is not settled", zap.Error(err))
			sleep(ctx, standRetry)
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
	}
}

// standNow looks at what was seen last first, so that most of the time nothing is asked.
func (c *Cluster) standNow(ctx context.Context) error {
	c.mu.Lock()
	self, seen := c.self, c.state.main
	c.mu.Unlock()
	switch {
	case c.o.Isolation != Static:
		return nil
	case self.leaves():
		if seen.ID != self.ID {
			return nil
		}
		return c.handOver(ctx)
	case !seen.giveWay(self):
		return nil
	}
	return c.setMain(ctx, func(now mainNode) (mainNode, bool) {
		return mainNode{ID: self.ID, Priority: self.Priority}, now.giveWay(self)
	})
}

// handOver gives the duty of this node, which leaves in order, to the live member that goes first. When there is none, nobody
// has it, and the next one that joins takes it: the others are to wait for a main node that was lost, not for one that left.
func (c *Cluster) handOver(ctx context.Context) error {
	pairs, err := c.o.Conn.List(ctx, c.root+membersDir)
	if err != nil {
		return fmt.Errorf("hand over the duty of the main node: read the members: %w", err)
	}
	first := c.first(pairs, c.o.Self.ID)
	return c.setMain(ctx, func(now mainNode) (mainNode, bool) {
		return mainNode{ID: first.ID, Priority: first.Priority}, now.ID == c.o.Self.ID
	})
}

// setMain writes what next says of the node that is written now, by compare-and-swap, until it says false or it is done.
func (c *Cluster) setMain(ctx context.Context, next func(now mainNode) (mainNode, bool)) error {
	for {
		pair, err := c.o.Conn.Get(ctx, c.root+mainKey)
		if err != nil {
			return fmt.Errorf("read the main node: %w", err)
		}
		n, wanted := next(readMain(pair))
		if !wanted {
			return nil
		}
		if pair == nil {
			pair = &api.KVPair{Key: c.root + mainKey}
		}
		if pair.Value, err = json.Marshal(n); err != nil {
			return fmt.Errorf("write the main node: %w", err)
		}
		_, ok, err := c.o.Conn.CAS(ctx, pair)
		if err != nil {
			return fmt.Errorf("write the main node: %w", err)
		}
		if ok {
			c.o.Log.Info("the main node is another", zap.String("main", n.ID), zap.Int("priority", n.Priority))
			return nil
		}
	}
}

// Forget gives the duty of a main node that will not come back to the live member that goes first (isolation: static). Should
// it come back, it takes the duty again. The error wraps
// [ErrForget] when there is nothing to forget, or the node is live.
func (c *Cluster) Forget(ctx context.Context, id string) error {
	if c.o.Isolation != Static {
		return fmt.Errorf("forget node %q: %w: only isolation: static has a main node, this cluster has isolation: %s", id, ErrForget, c.o.Isolation)
	}
	pairs, err := c.o.Conn.List(ctx, c.root+membersDir)
	if err != nil {
		return fmt.Errorf("forget node %q: read the members: %w", id, err)
	}
	first, err := c.heir(pairs, id)
	if err != nil {
		return err
	}
	var found mainNode
	err = c.setMain(ctx, func(now mainNode) (mainNode, bool) {
		found = now
		return mainNode{ID: first.ID, Priority: first.Priority}, now.ID == id
	})
	if err == nil && found.ID != id {
		err = fmt.Errorf("%w: the main node is %q", ErrForget, found.ID)
	}
	if err != nil {
		return fmt.Errorf("forget node %q: %w", id, err)
	}
	return nil
}

// heir is the member that goes first when id is gone.
func (c *Cluster) heir(pairs api.KVPairs, id string) (Member, error) {
	for _, e := range c.entries(pairs) {
		if e.ID == id {
			return Member{}, fmt.Errorf("forget node %q: %w: it is live at %s: stop it first", id, ErrForget, e.Address)
		}
	}
	first := c.first(pairs, id)
	if first.ID == "" {
		return first, fmt.Errorf("forget node %q: %w: no member is live", id, ErrForget)
	}
	return first, nil
}

// first is the member that goes before all others of those that stay, but for one; the zero Member when there is none.
func (c *Cluster) first(pairs api.KVPairs, but string) (first Member) {
	for _, e := range c.entries(pairs) {
		if e.ID != but && !e.leaves() && (first.ID == "" || e.before(first)) {
			first = e.Member
		}
	}
	return first
}
