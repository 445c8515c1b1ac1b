package node

import (
	"context"
	"time"

	"hotfolderd/workarea"
)

// rarely is how often the node of a bucket looks at each thing by itself. The look of the tenure tells it when to, so this is for what
// that look could not tell, or what could not be read then.
const rarely = 10 * time.Minute

// lookEvery is how often to look at one thing in the store, where that is free as often as it says. In a bucket each look is paid for.
func (n *Node) lookEvery(often time.Duration) time.Duration {
	if n.tenure.Load() != nil {
		return rarely
	}
	return often
}

// looks are what the node of a bucket saw last, and has taken in.
type looks struct{ seen workarea.Look }

// saw looks at what is another than it was.
func (l *looks) saw(ctx context.Context, n *Node, now workarea.Look) {
	if now.Pauses != l.seen.Pauses && n.loadPauses(ctx) == nil {
		l.seen.Pauses = now.Pauses
	}
	if now.Identity != l.seen.Identity && n.identity.check(ctx, n) {
		l.seen.Identity = now.Identity
	}
	if p, ok := n.o.Rules.(*published); ok && now.Rules > p.version() {
		p.poke()
	}
}
