package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hashicorp/consul/api"
	"go.uber.org/zap"

	"hotfolderd/leases/consul"
)

const (
	writeEvery     = time.Second      // of what somebody has changed; a new state is written at once
	writeLagEvery  = 5 * time.Second  // when the share is another, or the lag, and such that the others care
	writeLoadEvery = 30 * time.Second // when the load is another, and nobody cares
	writeRetry     = 500 * time.Millisecond
	enterRetry     = time.Second
)

// written is the own entry as Consul has it.
type written struct {
	member  Member
	value   []byte
	session string
	at      time.Time
}

// Update changes the own entry and returns at once; the others see it a little later. Changes are gathered: at most one write a
// second; when only Waiting and Lag differ one in thirty seconds, or in five while the others shed work by that Lag; a new State is
// written at once. ID, Instance, Address, Store,
// Started and Share stay as they are. Report Waiting and Lag as often as you like.
func (c *Cluster) Update(change func(*Member)) {
	c.mu.Lock()
	m := c.self
	m.Roles = slices.Clone(m.Roles)
	change(&m)
	m.ID, m.Instance, m.Address, m.Store = c.self.ID, c.self.Instance, c.self.Address, c.self.Store
	m.Started, m.Share = c.self.Started, c.self.Share
	turned := c.self.State != m.State
	c.self = m
	c.mu.Unlock()
	nudge(c.dirty)
	if turned {
		c.signal() // the duties of a node depend on it
	}
}

// publish keeps the entry in Consul, under one session after the other, until ctx ends or the id is lost for good.
func (c *Cluster) publish(ctx context.Context) error {
	session := c.o.Keeper.Current()
	if session.ID() != c.writtenNow().session {
		session = nil
	}
	for {
		if session == nil {
			var err error
			if session, err = c.enterAgain(ctx); err != nil || ctx.Err() != nil {
				return err
			}
		}
		if c.keepWritten(ctx, session); ctx.Err() != nil {
			return nil
		}
		session = nil
	}
}

// enterAgain becomes a member again for as long as that takes.
func (c *Cluster) enterAgain(ctx context.Context) (*consul.Session, error) {
	for ctx.Err() == nil {
		session, err := c.session(ctx) // it may take long; there is nothing to tell of it
		if err == nil {
			session, err = c.enter(ctx, true)
		}
		switch {
		case err == nil:
			c.o.Log.Info("this node is a member again", zap.String("session", session.ID()))
			return session, nil
		case errors.Is(err, ErrDuplicate) || errors.Is(err, ErrStore) || errors.Is(err, ErrHome):
			return nil, err
		case ctx.Err() == nil:
			c.o.Log.Warn("this node could not become a member again; it goes on trying", zap.Error(err))
		}
		sleep(ctx, enterRetry)
	}
	return nil, nil
}

// keepWritten writes changes until the session ends or does not hold the entry any more, or the entry was deleted.
func (c *Cluster) keepWritten(ctx context.Context, session *consul.Session) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-session.Context().Done():
			return
		case <-c.dirty:
		case <-timer.C:
		}
		now := c.writtenNow()
		if now.value == nil {
			return // it is gone from Consul, and maybe all that stood beside it
		}
		at, needed := due(now, c.Self())
		if !needed {
			continue
		}
		if wait := time.Until(at); wait > 0 {
			timer.Reset(wait)
			continue
		}
		held, err := c.write(ctx, session)
		if err != nil {
			timer.Reset(writeRetry)
		} else if !held {
			return
		}
	}
}

// due tells whether the entry must be written again, and not before when.
func due(w written, wanted Member) (at time.Time, needed bool) {
	value, err := wanted.encode()
	if err != nil || bytes.Equal(value, w.value) {
		return time.Time{}, false
	}
	if wanted.State != w.member.State {
		return time.Time{}, true
	}
	every := loadEvery(w.member, wanted)
	wanted.Share, wanted.Waiting, wanted.Lag = w.member.Share, w.member.Waiting, w.member.Lag
	if rest, err := wanted.encode(); err == nil && bytes.Equal(rest, w.value) {
		return w.at.Add(every), true
	}
	return w.at.Add(writeEvery), true
}

// loadEvery is how often the load is told. What waits changes with every drop, and a burst must not become writes of Consul; but
// the others reckon with a share, with a lag that sheds work, and with its end.
func loadEvery(told, now Member) time.Duration {
	more, less := max(told.Lag, now.Lag), min(told.Lag, now.Lag)
	if told.Share != now.Share || more >= shedAbove/2 && more >= 2*less {
		return writeLagEvery
	}
	return writeLoadEvery
}

// write puts the entry under the session. false: another session has it, or this one is not valid.
func (c *Cluster) write(ctx context.Context, session *consul.Session) (bool, error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	if c.left {
		return true, nil // it must not come back
	}
	m := c.Self()
	value, err := m.encode()
	if err != nil {
		return false, err
	}
	_, ok, err := c.o.Conn.Acquire(ctx, session.ID(), c.memberKey(), value)
	if err != nil {
		return false, fmt.Errorf("write the entry of node %q: %w", m.ID, err)
	}
	if ok {
		c.written = written{member: m, value: value, session: session.ID(), at: time.Now()}
		c.metrics.writes.Inc()
	}
	return ok, nil
}

func (c *Cluster) writtenNow() written {
	c.writing.Lock()
	defer c.writing.Unlock()
	return c.written
}

// writeAnew makes this node enter again: its entry is not in Consul any more.
func (c *Cluster) writeAnew() {
	c.writing.Lock()
	c.written.value = nil
	c.writing.Unlock()
	nudge(c.dirty)
}

// Leave takes the entry and the suspicions of this node away at once, so that the others need not wait for the end of its session.
// The entry does not come back. Idempotent.
func (c *Cluster) Leave(ctx context.Context) error {
	defer c.prober.close()
	c.writing.Lock()
	defer c.writing.Unlock()
	c.left = true
	if c.written.session == "" {
		return nil
	}
	c.handOverLast(ctx)
	ops := api.KVTxnOps{
		{Verb: api.KVCheckSession, Key: c.memberKey(), Session: c.written.session},
		{Verb: api.KVDelete, Key: c.memberKey()},
	}
	if _, _, err := c.o.Conn.Txn(ctx, ops); err != nil { // refused: the session has ended, and the entry with it
		return fmt.Errorf("leave the cluster: %w", err)
	}
	for _, s := range c.View().Suspects {
		if s.Observer == c.o.Self.ID {
			_ = c.o.Conn.Delete(ctx, c.suspectKey(s.Node)) // else it ends with the session
		}
	}
	c.written.session = ""
	return nil
}

// handOverLast lets nobody wait for this node, with isolation: static: it may have been the main one for a moment only.
func (c *Cluster) handOverLast(ctx context.Context) {
	c.mu.Lock()
	c.self.State = Left
	c.mu.Unlock()
	if c.o.Isolation != Static {
		return
	}
	if err := c.handOver(ctx); err != nil {
		c.o.Log.Warn("whether this node is the main one is not settled", zap.Error(err))
	}
}

// nudge wakes whoever waits on the channel, which has room for one.
func nudge(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}
