package ftpgate

import (
	"context"
	"slices"
	"strings"
	"time"
)

// drain ends idle sessions at once and the others when their transfer is done, at last after the grace.
func (g *Gate) drain(cut context.CancelCauseFunc) {
	g.mu.Lock()
	g.stopping = true
	if g.count() == 0 {
		close(g.idle)
	}
	g.mu.Unlock()
	close(g.draining)
	g.sendNewcomersAway(errDraining)
	grace := time.NewTimer(g.Grace())
	defer grace.Stop()
	select {
	case <-g.idle:
	case <-grace.C:
		cut(errDraining)
		<-g.idle
	}
}

// SetGrace says how long transfers in hand may go on when Run is to end, in place of [Options].Grace. Before that end.
func (g *Gate) SetGrace(d time.Duration) { g.grace.Store(int64(d)) }

// Grace is how long transfers in hand may go on when Run is to end.
func (g *Gate) Grace() time.Duration { return time.Duration(g.grace.Load()) }

func (g *Gate) isDraining() bool {
	select {
	case <-g.draining:
		return true
	default:
		return false
	}
}

// Session describes a session for people.
type Session struct {
	ID      string    `json:"id"`
	User    string    `json:"user"` // empty before login
	Address string    `json:"address"`
	Since   time.Time `json:"since"`
	TLS     bool      `json:"tls"`
	Doing   string    `json:"doing"` // upload, download, list or nothing
	Path    string    `json:"path"`  // of the transfer, in the user's view
	Moved   int64     `json:"moved"` // bytes of the transfer so far
}

// Sessions are those of this gate now, the oldest first.
func (g *Gate) Sessions() []Session {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := make([]Session, 0, g.count())
	for _, n := range g.newcomers {
		all = append(all, n.describe())
	}
	for _, s := range g.sessions {
		all = append(all, s.describe())
	}
	slices.SortFunc(all, func(a, b Session) int {
		if c := a.Since.Compare(b.Since); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return all
}

func (s *session) describe() Session {
	d := Session{ID: s.id, Address: s.client.String(), Since: s.since, TLS: s.c.encrypted()}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.user != nil {
		d.User = s.user.Name
	}
	if t := s.transfer; t != nil {
		d.Doing, d.Path, d.Moved = t.kind, t.path, t.moved.Load()
	}
	return d
}

// End ends a session, also in the middle of a transfer. It reports whether there was one of that id.
func (g *Gate) End(id string) bool {
	g.mu.Lock()
	n := g.newcomers[id]
	g.mu.Unlock()
	if n != nil && g.sendAway(n, errEnded) {
		return true
	}
	g.mu.Lock()
	s := g.sessions[id]
	g.mu.Unlock()
	if s == nil {
		return false
	}
	s.cancel(errEnded)
	return true
}
