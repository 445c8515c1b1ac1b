package consul

import (
	"context"
	"strings"

	"github.com/hashicorp/consul/api"

	"hotfolderd/leases"
)

// sweep takes away what our session holds and nobody of this node knows: what was locked by a request whose answer never
// came, or could not be given back in time.
func (l *Leaser) sweep(ctx context.Context, s *Session, pairs api.KVPairs) {
	for _, pair := range pairs {
		if pair.Session != s.id || ctx.Err() != nil {
			continue
		}
		g := l.adopt(s, pair)
		if g == nil {
			continue
		}
		err := l.delete(api.KVTxnOps{l.deletion(g.name, pair.ModifyIndex)})
		l.mu.Lock()
		l.drop(g, leases.ErrReleased)
		l.mu.Unlock()
		if err != nil {
			return // the next look tries again
		}
	}
}

// adopt reserves a name that is to be swept; nil when somebody of this node has it.
func (l *Leaser) adopt(s *Session, pair *api.KVPair) *lease {
	name := strings.TrimPrefix(pair.Key, l.prefix)
	l.mu.Lock()
	defer l.mu.Unlock()
	if old := l.table[name]; old != nil && (old.busy || old.ctx.Err() == nil) {
		return nil
	}
	g := newLease(l, s, name)
	l.table[name] = g
	return g
}
