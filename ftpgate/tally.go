package ftpgate

import "time"

// mostSpenders is how many users a gate tells of at most.
const mostSpenders = 1000

// Tally is what one gate has counted, for the gates of other nodes: the uploads of users who may have only so much a day, and the
// sessions of those who may have only so many. Times are this node's.
type Tally struct {
	Spent    map[string]Spent `json:"spent,omitempty"`    // by user
	Sessions map[string]int   `json:"sessions,omitempty"` // by user
}

// Spent is what a user has uploaded on a day.
type Spent struct {
	Day   int   `json:"day"` // since the epoch, in UTC
	Bytes int64 `json:"bytes"`
}

// Tallied has a signal after the tally has changed; several changes may be one signal.
func (g *Gate) Tallied() <-chan struct{} { return g.tallied }

func (g *Gate) nudge() {
	select {
	case g.tallied <- struct{}{}:
	default:
	}
}

// Tally is what there is to tell now.
func (g *Gate) Tally() Tally {
	return Tally{Spent: g.paces.tally(), Sessions: g.limitedSessions()}
}

// Others takes what the gate of another node tells, in place of what it told before.
func (g *Gate) Others(node string, t Tally) {
	g.paces.hear(node, t.Spent)
	g.hearSessions(node, t.Sessions)
}

// Restore takes what an earlier process of this node had told, so that a restart forgives nothing. Its sessions have ended.
func (g *Gate) Restore(t Tally) {
	defer g.nudge()
	g.paces.restore(t.Spent)
}

func today() int { return int(time.Now().Unix() / (24 * 60 * 60)) }

// tally is what users have spent today who may not spend all they want.
func (p *paces) tally() map[string]Spent {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := map[string]Spent{}
	for user, x := range p.inward() {
		if s := x.sum(); s.Bytes > 0 && len(all) < mostSpenders {
			all[user] = s
		}
	}
	return all
}

func (p *paces) hear(node string, spent map[string]Spent) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.others[node] = spent
}

func (p *paces) restore(spent map[string]Spent) {
	for user, s := range spent {
		p.of(user, "in").restore(s)
	}
}
