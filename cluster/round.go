package cluster

import "context"

// round is what observe has under way. At most one probes an id at a time: they share a key.
type round struct {
	begun map[target]context.CancelFunc
	last  map[string]seenBefore    // by id, of everybody who was ever probed
	ended map[string]chan struct{} // by id, of the last one
}

// seenBefore is the last session of a member, and whether its instance had another before.
type seenBefore struct {
	target
	returned bool
}

func newRound() *round {
	return &round{begun: map[target]context.CancelFunc{}, last: map[string]seenBefore{}, ended: map[string]chan struct{}{}}
}

// renew ends what is not wanted any more, and returns what is to begin.
func (r *round) renew(wanted []entry) (fresh []entry) {
	keep := map[target]bool{}
	for _, e := range wanted {
		t := targetOf(e)
		if keep[t] = true; r.begun[t] == nil {
			fresh = append(fresh, e)
		}
	}
	for t, cancel := range r.begun {
		if !keep[t] {
			cancel()
			delete(r.begun, t)
		}
	}
	return fresh
}

// begin returns the ctx of a new one, whether its instance was a member before, what it must wait for, and what it must close.
func (r *round) begin(ctx context.Context, e entry) (tctx context.Context, returned bool, turn, ended chan struct{}) {
	t, before := targetOf(e), r.last[e.ID]
	tctx, r.begun[t] = context.WithCancel(ctx)
	returned = before.instance == t.instance && (before.returned || before.session != t.session)
	r.last[e.ID] = seenBefore{t, returned}
	if turn = r.ended[e.ID]; turn == nil {
		turn = make(chan struct{})
		close(turn)
	}
	ended = make(chan struct{})
	r.ended[e.ID] = ended
	return tctx, returned, turn, ended
}

// target is one session of one member that this node probes.
type target struct{ id, instance, session string }

func targetOf(e entry) target { return target{e.ID, e.Instance, e.session} }
