package shares

import (
	"context"
	"time"

	"go.uber.org/zap"
)

// look takes what is new, and lets what was refused be tried again when its pause is over or something is new.
func (s *Shares) look() {
	l := &s.loop
	fresh, changed := s.news()
	if changed {
		s.plan()
	}
	if fresh {
		l.fails = 0
	}
	if fresh || !time.Now().Before(l.until) {
		s.each(func(p *part) { p.refused = false })
	}
	l.failed = false
}

func (s *Shares) news() (fresh, changed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := &s.loop
	l.moved = s.changed && l.sets != nil && !samePins(l.in.pins, s.in.pins)
	l.in, l.sets = s.in, s.all()
	if s.draining || l.stopping {
		l.in.nodes = nil
	}
	fresh, changed = s.fresh, s.changed
	s.fresh, s.changed = false, false
	return fresh, changed
}

// plan decides what is wanted.
func (s *Shares) plan() {
	for _, set := range s.loop.sets {
		pin, pinned := s.loop.in.pins[set.hotfolder]
		switch {
		case set.hotfolder == "":
			s.want(set, s.loop.in.nodes)
		case pinned:
			s.want(set, pin.allows(s.loop.in.nodes))
		default:
			s.want(set, nil)
		}
	}
}

func (s *Shares) want(set *set, nodes []Node) {
	owners := Assign(nodes, len(set.parts), set.prefix)
	set.owners.Store(&owners)
	for i, owner := range owners {
		set.parts[i].wanted = owner != "" && owner == s.o.Self
	}
}

func (s *Shares) each(f func(*part)) {
	for _, set := range s.loop.sets {
		for _, p := range set.parts {
			f(p)
		}
	}
}

// dropEnded lets go of leases that have ended by themselves. Walks under them are ended by their context.
func (s *Shares) dropEnded() {
	lost := 0
	var cause error
	s.each(func(p *part) {
		if g := p.grip.Load(); g != nil && g.ended() {
			cause = context.Cause(g.lease.Context())
			p.grip.Store(nil)
			lost++
		}
	})
	if lost > 0 {
		s.o.Log.Warn("partitions lost", zap.Int("partitions", lost), zap.Error(cause))
	}
}

// turn shuts what is not wanted, and opens again what is wanted after all before it was given back.
func (s *Shares) turn() (reopened int) {
	s.each(func(p *part) {
		g := p.grip.Load()
		switch {
		case g == nil:
		case !p.wanted:
			g.close()
		case !g.open():
			g.reopen()
			reopened++
		}
	})
	return reopened
}
