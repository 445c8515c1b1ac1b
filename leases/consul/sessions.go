package consul

import (
	"context"
	"time"

	"github.com/hashicorp/consul/api"
)

// lockDelay is how long a name stays locked after its session was lost. The library leaves a zero out, which Consul takes for
// 15 s.
const lockDelay = time.Millisecond

// DestroySession ends a session of any node: what it holds is free at once. That there is none is no error.
func (c *Conn) DestroySession(ctx context.Context, id string) error {
	return c.Do(ctx, func(ctx context.Context, cl *api.Client) error {
		_, err := cl.Session().Destroy(id, write(ctx))
		return err
	})
}

// SessionAlive reports, by a consistent read, whether the session exists.
func (c *Conn) SessionAlive(ctx context.Context, id string) (alive bool, err error) {
	err = c.Do(ctx, func(ctx context.Context, cl *api.Client) error {
		s, meta, err := cl.Session().Info(id, consistent(ctx))
		alive = s != nil
		return unfiltered(meta, err)
	})
	return alive, err
}

// register makes the node of the catalog that the node's sessions are bound to. It has no checks and no agent, so that nothing
// but the session's own end ends it; a session of a Consul server's own node would die with that server.
func (c *Conn) register(ctx context.Context, name string) error {
	return c.Do(ctx, func(ctx context.Context, cl *api.Client) error {
		_, err := cl.Catalog().Register(&api.CatalogRegistration{Node: name, Address: "127.0.0.1"}, write(ctx))
		return err
	})
}

// createSession returns the id and the moment before it was asked for.
func (c *Conn) createSession(ctx context.Context, node string, ttl time.Duration) (id string, sent time.Time, err error) {
	err = c.Do(ctx, func(ctx context.Context, cl *api.Client) error {
		sent = time.Now()
		id, _, err = cl.Session().CreateNoChecks(&api.SessionEntry{
			Name: "hotfolderd", Node: node, TTL: ttl.String(), Behavior: api.SessionBehaviorDelete, LockDelay: lockDelay,
		}, write(ctx))
		return err
	})
	return id, sent, err
}

// renewSession returns the moment before the answered try was sent, and whether the session is still known. Each try has at
// most the timeout.
func (c *Conn) renewSession(ctx context.Context, id string, timeout time.Duration) (sent time.Time, known bool, err error) {
	err = c.within(ctx, min(timeout, c.timeout), func(ctx context.Context, cl *api.Client) error {
		sent = time.Now()
		s, _, err := cl.Session().Renew(id, write(ctx))
		known = s != nil
		return err
	})
	return sent, known, err
}

// sessionChanged waits until the session is not as it was at index, or about as long as wait.
func (c *Conn) sessionChanged(ctx context.Context, id string, index uint64, wait time.Duration) (known bool, now uint64, err error) {
	err = c.within(ctx, wait+wait/16+watchGrace, func(ctx context.Context, cl *api.Client) error {
		s, meta, err := cl.Session().Info(id, (&api.QueryOptions{WaitIndex: index, WaitTime: wait}).WithContext(ctx))
		if err == nil {
			known, now = s != nil, meta.LastIndex
		}
		return unfiltered(meta, err)
	})
	return known, now, err
}
