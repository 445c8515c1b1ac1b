package accounts

import (
	"cmp"
	"slices"
)

// mostNetworks is how many one node tells of at most.
const mostNetworks = 200

// Told has a signal after the tally has changed; several changes may be one signal.
func (b *Bans) Told() <-chan struct{} { return b.told }

func (b *Bans) nudge() {
	select {
	case b.told <- struct{}{}:
	default:
	}
}

// Tally is what there is to tell other nodes now; of very many networks, those with the most wrong passwords.
func (b *Bans) Tally() []Counted {
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

// Hear takes what another node tells, in place of what it told before.
func (b *Bans) Hear(node string, list []Counted) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.others[node] = map[string]Counted{}
	for _, c := range list[:min(len(list), mostNetworks)] {
		b.others[node][c.Network] = c
	}
}

// Restore takes what an earlier process of this node had told, so that a restart forgives nothing.
func (b *Bans) Restore(list []Counted) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range list[:min(len(list), mostNetworks)] {
		if b.seen[c.Network] == nil {
			b.seen[c.Network] = &counted{wrong: c.Wrong, since: c.Since, until: c.Until, bans: c.Bans}
		}
	}
}
