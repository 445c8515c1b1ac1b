package ftpgate

import (
	"cmp"
	"slices"
	"time"
)

// What a gate tells the others at most.
const (
	mostNetworks = 200
	mostSpenders = 1000
)

// Tally is what one gate has counted, for the gates of other nodes: wrong passwords, and the uploads of users who may have only so
// much a day. Times are this node's.
type Tally struct {
	Wrong []Counted        `json:"wrong,omitempty"`
	Spent map[string]Spent `json:"spent,omitempty"` // by user
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

// Tally is what there is to tell now; of very many networks, those with the most wrong passwords.
func (g *Gate) Tally() Tally {
	t := Tally{Spent: g.paces.tally()}
	if b, ok := g.o.Bans.(*LocalBans); ok {
		t.Wrong = b.tally()
	}
	return t
}

// Others takes what the gate of another node tells, in place of what it told before.
func (g *Gate) Others(node string, t Tally) {
	g.paces.hear(node, t.Spent)
	if b, ok := g.o.Bans.(*LocalBans); ok {
		b.hear(node, t.Wrong)
	}
}

// Restore takes what an earlier process of this node had told, so that a restart forgives nothing.
func (g *Gate) Restore(t Tally) {
	g.paces.restore(t.Spent)
	if b, ok := g.o.Bans.(*LocalBans); ok {
		b.restore(t.Wrong)
	}
}

func (b *LocalBans) tally() []Counted {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	var all []Counted
	for key, c := range b.seen {
		if now.Sub(c.since) <= banWindow || c.until.After(now) {
			all = append(all, Counted{key, c.wrong, c.since, c.until, c.bans})
		}
	}
	slices.SortFunc(all, func(x, y Counted) int {
		return cmp.Or(y.Until.Compare(x.Until), cmp.Compare(y.Wrong, x.Wrong), cmp.Compare(x.Network, y.Network))
	})
	return all[:min(len(all), mostNetworks)]
}

func (b *LocalBans) hear(node string, list []Counted) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.others[node] = map[string]Counted{}
	for _, c := range list[:min(len(list), mostNetworks)] {
		b.others[node][c.Network] = c
	}
}

func (b *LocalBans) restore(list []Counted) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range list[:min(len(list), mostNetworks)] {
		if b.seen[c.Network] == nil {
			b.seen[c.Network] = &counted{wrong: c.Wrong, since: c.Since, until: c.Until, bans: c.Bans}
		}
	}
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
