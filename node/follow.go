package node

import (
	"context"
	"time"

	"go.uber.org/zap"

	"hotfolderd/admin"
	"hotfolderd/cluster"
	"hotfolderd/cluster/shares"
)

const (
	// followEvery is how often a node looks at its own load, and at the members when nothing tells of a change.
	followEvery = time.Second
	// recoverTime bounds one try to catch up.
	recoverTime = 10 * time.Second
)

// followMembers keeps what this node does in step with who else is there, until ctx ends. A node that is alone has all shares.
func (n *Node) followMembers(ctx context.Context) {
	if n.together == nil {
		n.claims.shares.Set([]shares.Node{{ID: n.o.Settings.Node.ID, Weight: 1}}, nil)
		n.become(admin.Active, "")
		return
	}
	changed, unsubscribe := n.together.members.Subscribe()
	defer unsubscribe()
	f := &following{n: n}
	defer f.cutOff(ctx, false)
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		f.follow(ctx, n.together.members.View())
		select {
		case <-ctx.Done():
		case <-changed:
		case <-tick.C:
			n.reportLoad()
		}
	}
}

// following is what a node remembers from one view to the next.
type following struct {
	n         *Node
	recovered bool   // since there was contact last
	endAlone  func() // ends being cut off and alone; nil when it is not
}

func (f *following) follow(ctx context.Context, v cluster.View) {
	n := f.n
	n.claims.shares.Set(importers(v.Members), n.pins())
	f.cutOff(ctx, v.IsolatedMain)
	if f.catchUp(ctx, v.Contact) {
		writable, why := v.Writable()
		state := admin.Active
		if !writable {
			state = admin.ReadOnly
		} else {
			_, why = v.Importing()
		}
		n.become(state, why)
	}
}

// catchUp recovers after each loss of contact; false means that this is not done yet.
func (f *following) catchUp(ctx context.Context, contact bool) bool {
	if !contact {
		f.recovered = false
		return true // what may be done without contact, the view decides
	}
	if f.recovered {
		return true
	}
	f.n.become(admin.Recovering, "catching up with what changed meanwhile")
	rctx, cancel := context.WithTimeout(ctx, recoverTime)
	defer cancel()
	err := f.n.news.Recover(rctx)
	if err != nil && ctx.Err() == nil {
		f.n.log.Warn("cannot catch up yet", zap.Error(err))
	}
	f.recovered = err == nil
	return f.recovered
}

func importers(members []cluster.Member) []shares.Node {
	var all []shares.Node
	for _, m := range members {
		all = append(all, shares.Node{ID: m.ID, Weight: m.Takes()})
	}
	return all
}

// pins are the hotfolders whose rules name nodes.
func (n *Node) pins() map[string]shares.Pin {
	n.mu.Lock()
	defer n.mu.Unlock()
	pins := map[string]shares.Pin{}
	for _, r := range n.rules {
		if len(r.RunOn)+len(r.Prefer) > 0 {
			pins[r.Hotfolder] = shares.Pin{RunOn: r.RunOn, Prefer: r.Prefer}
		}
	}
	return pins
}

// become sets the state, unless the node is on its way out, and says why nothing is imported, if nothing is.
func (n *Node) become(s admin.State, why string) {
	n.mu.Lock()
	before := n.state
	if before != admin.Draining && before != admin.Left {
		n.state, n.why = s, why
		if s == admin.Draining && before == admin.Active {
			n.farewell = time.Now().Add(farewellTime)
		}
	}
	changed := before != n.state
	n.mu.Unlock()
	n.halt("cluster", why)
	if changed {
		n.sayState(s, why)
		n.tellState()
	}
}

func (n *Node) sayState(s admin.State, why string) {
	fields := []zap.Field{zap.String("node", n.o.Settings.Node.ID), zap.String("store", n.area.ID())}
	if why != "" {
		fields = append(fields, zap.String("why", why))
	}
	n.log.Info(string(s), fields...)
}

// tellState lets the members see the state of now.
func (n *Node) tellState() {
	if n.together == nil || n.together.members == nil {
		return
	}
	n.together.members.Update(func(m *cluster.Member) { m.State = string(n.State()) })
}

// cutOff lets a main node that may write without Consul take everything, and ends that when it is back.
func (f *following) cutOff(ctx context.Context, on bool) {
	if on == (f.endAlone != nil) {
		return
	}
	f.n.news.Isolated(on)
	if on {
		f.endAlone = f.n.takeAll(ctx)
		return
	}
	f.endAlone()
	f.endAlone = nil
}

// reportLoad tells the members how far behind this node is.
func (n *Node) reportLoad() {
	waiting, lag := n.room.Waiting()
	n.together.members.Update(func(m *cluster.Member) { m.Waiting, m.Lag = waiting, lag })
}
