package cluster

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/consul/api"
	"go.uber.org/zap"

	"hotfolderd/leases/consul"
)

const (
	claimPause = 100 * time.Millisecond // between two looks at an id that is taken
	slack      = 5 * time.Second        // how much later than twice its TTL a session may end
)

// rival is what stands in the way of the own entry: an entry of another session, or nothing that can be seen (the session is
// not valid any more, or the lock delay is not over).
type rival struct {
	Member
	session string
}

// claim takes members/<id> under the current session, whatever time that needs, or says why it never will.
func (c *Cluster) claim(ctx context.Context, again bool) (*consul.Session, error) {
	var until time.Time
	for {
		session, err := c.session(ctx)
		if err != nil {
			return nil, err
		}
		r, err := c.take(ctx, session)
		if err != nil || r == nil {
			return session, err
		}
		if until.IsZero() {
			until = time.Now().Add(c.patience(ctx, r))
		}
		if err := c.remove(ctx, r, again, until); err != nil {
			return nil, err
		}
		if !sleep(ctx, claimPause) {
			return nil, context.Cause(ctx)
		}
	}
}

// session is the current one, or the next when that has ended.
func (c *Cluster) session(ctx context.Context) (*consul.Session, error) {
	s := c.o.Keeper.Current()
	if s.Context().Err() == nil {
		return s, nil
	}
	s, err := c.o.Keeper.Next(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("wait for a session: %w", err)
	}
	return s, nil
}

// remove destroys the session of a dead rival. The error is the rival that will not go.
func (c *Cluster) remove(ctx context.Context, r *rival, again bool, until time.Time) error {
	switch c.verdict(ctx, r, again) {
	case alive:
		return duplicate(r, "it answers")
	case gone:
		c.o.Log.Info("an earlier start of this node is dead: its session is destroyed", zap.String("instance", r.Instance))
		if err := c.o.Conn.DestroySession(ctx, r.session); err != nil {
			return fmt.Errorf("destroy the session of the dead instance %s: %w", r.Instance, err)
		}
	case silent:
		if r.session != "" && time.Now().After(until) {
			return duplicate(r, "it does not answer, but keeps its session")
		}
	}
	return nil
}

func duplicate(r *rival, how string) error {
	at := r.Address
	if at == "" {
		at = "an address that it does not tell"
	}
	return fmt.Errorf("%w: another node %q, started %s, is at %s (%s): stop it, or give this node another node.id",
		ErrDuplicate, r.ID, r.Started.Format(time.RFC3339), at, how)
}

// take tries once to write the own entry. A nil rival: it is written.
func (c *Cluster) take(ctx context.Context, session *consul.Session) (*rival, error) {
	key := c.memberKey()
	pair, err := c.o.Conn.Get(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("read who has node id %q: %w", c.o.Self.ID, err)
	}
	if pair != nil && pair.Session != "" && pair.Session != session.ID() {
		return c.rivalOf(pair), nil
	}
	ok, err := c.write(ctx, session)
	if err != nil || ok {
		return nil, err
	}
	return &rival{}, nil
}

func (c *Cluster) rivalOf(pair *api.KVPair) *rival {
	m, err := decode(c.o.Self.ID, pair.Value)
	if err != nil {
		c.o.Log.Warn("an entry in Consul cannot be read", zap.Error(err))
		m = Member{ID: c.o.Self.ID}
	}
	return &rival{Member: m, session: pair.Session}
}

// verdict tells whether the rival lives.
func (c *Cluster) verdict(ctx context.Context, r *rival, again bool) answer {
	switch {
	case r.session == "":
		return silent
	case r.Instance == c.o.Self.Instance:
		return gone // the session that we had before
	}
	a, seen := c.prober.ask(ctx, r.Address, r.Instance)
	if again && seen == c.o.Self.Instance {
		// Somebody says that he is where we have been all the time, and began after us: at another machine, by wrong
		// settings. Were he taken for dead, the two would take the id from each other for ever.
		return silent
	}
	return a
}

// patience is how long a session may live on without its node.
func (c *Cluster) patience(ctx context.Context, r *rival) time.Duration {
	ttl := consul.DefaultTTL
	_ = c.o.Conn.Do(ctx, func(ctx context.Context, cl *api.Client) error {
		if r.session == "" {
			return nil
		}
		s, _, err := cl.Session().Info(r.session, new(api.QueryOptions).WithContext(ctx))
		if err != nil || s == nil {
			return err
		}
		if d, err := time.ParseDuration(s.TTL); err == nil {
			ttl = d
		}
		return nil
	})
	return 2*ttl + slack
}

func (c *Cluster) memberKey() string { return c.root + membersDir + c.o.Self.ID }

// sleep waits and returns false when ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
