package consul

import (
	"context"
	"fmt"

	"github.com/hashicorp/consul/api"
	"go.uber.org/zap"

	"hotfolderd/leases"
)

// sight is what the watch saw last. The leaser's mu guards it.
type sight struct {
	version uint64 // 0: nothing yet
	held    map[string]string
	index   map[string]uint64 // of the last write of each held name
	changed chan struct{}     // closed with each new version
}

// Watch calls seen with the session id of every held name, at the start and after each change, until ctx or the leaser ends.
// Changes that come faster than seen returns are told together. The map is shared: it must not be changed.
func (l *Leaser) Watch(ctx context.Context, seen func(held map[string]string)) {
	for last := uint64(0); ctx.Err() == nil; {
		l.mu.Lock()
		now := l.sight
		l.mu.Unlock()
		if now.version != last {
			last = now.version
			seen(now.held)
			continue
		}
		select {
		case <-now.changed:
		case <-ctx.Done():
		case <-l.ctx.Done():
			return
		}
	}
}

// Holder is who holds a name.
type Holder struct {
	Session string
	Token   leases.Token
}

// Holders are those of all held names, as they were seen last. It is for people: a token may be of the epoch before.
func (l *Leaser) Holders() map[string]Holder {
	epoch := l.epochs.known()
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make(map[string]Holder, len(l.sight.held))
	for name, session := range l.sight.held {
		all[name] = Holder{session, leases.Token{Epoch: epoch, Index: l.sight.index[name]}}
	}
	return all
}

// look watches all names until Close.
func (l *Leaser) look() {
	var last api.KVPairs
	var seen strays
	l.conn.watch(l.ctx, l.prefix, watching{
		seen: func(pairs api.KVPairs, index uint64) {
			last = pairs
			l.endTaken(pairs, index)
			l.tell(pairs)
			seen = l.sweep(seen, pairs)
		},
		same:   func() { seen = l.sweep(seen, last) },
		failed: func(err error) { l.log.Debug("the leases are not seen", zap.Error(err)) },
	})
}

func (l *Leaser) tell(pairs api.KVPairs) {
	held, index := make(map[string]string, len(pairs)), make(map[string]uint64, len(pairs))
	for _, p := range pairs {
		if p.Session != "" {
			held[l.name(p)], index[l.name(p)] = p.Session, p.ModifyIndex
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sight.version++
	l.sight.held, l.sight.index = held, index
	close(l.sight.changed)
	l.sight.changed = make(chan struct{})
}

// endTaken ends the leases whose key somebody took away by force. What was seen at index says nothing of later leases.
func (l *Leaser) endTaken(pairs api.KVPairs, index uint64) {
	by := make(map[string]string, len(pairs))
	for _, p := range pairs {
		by[l.name(p)] = p.Session
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for name, g := range l.table {
		if !g.busy && g.token.Index <= index && by[name] != g.session.id {
			l.drop(g, fmt.Errorf("%w: the key of %q was taken away", leases.ErrLost, name))
		}
	}
}
