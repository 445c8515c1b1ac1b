package consul

import (
	"fmt"
	"strings"

	"github.com/hashicorp/consul/api"
)

// strays are keys, and their indexes, that our session holds and nobody of this node knows: they were locked by a request
// whose answer never came, or could not be given back in time. A look may be older than what was done meanwhile, so only
// what two looks show is one: the second has begun when the first was compared with the table.
type strays map[string]uint64

// sweep gives back what was a stray before and still is; it returns what is to be looked at again.
func (l *Leaser) sweep(before strays, pairs api.KVPairs) strays {
	s, now := l.keeper.Current(), strays{}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, pair := range pairs {
		switch {
		case pair.Session != s.id || l.knows(l.name(pair)):
		case before[pair.Key] == pair.ModifyIndex:
			l.adopt(s, pair)
		default:
			now[pair.Key] = pair.ModifyIndex
		}
	}
	return now
}

// sweepAll is the sweep of Close, after all askings have ended: one that failed may have locked something.
func (l *Leaser) sweepAll() (failed error) {
	s := l.keeper.Current()
	if s.ctx.Err() != nil {
		return nil // the session's end frees the names
	}
	pairs, err := l.conn.List(l.ctx, l.prefix)
	if err != nil {
		return fmt.Errorf("look for leases that are left: %w", err)
	}
	var waits []<-chan error
	l.mu.Lock()
	for _, pair := range pairs {
		if pair.Session == s.id && !l.knows(l.name(pair)) {
			waits = append(waits, l.adopt(s, pair))
		}
	}
	l.mu.Unlock()
	return first(waits)
}

// adopt puts a stray into the table and lines it up to be given back; mu is held.
func (l *Leaser) adopt(s *Session, pair *api.KVPair) <-chan error {
	g := newLease(l, s, l.name(pair))
	g.token.Index = pair.ModifyIndex
	l.table[g.name] = g
	return l.lineUp(g)
}

func (l *Leaser) name(pair *api.KVPair) string { return strings.TrimPrefix(pair.Key, l.prefix) }

// knows: somebody of this node has the name, asks for it or gives it back; mu is held.
func (l *Leaser) knows(name string) bool {
	g := l.table[name]
	return g != nil && (g.busy || g.ctx.Err() == nil)
}
