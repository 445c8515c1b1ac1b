package node

import (
	"context"
	"encoding/json"
	"time"

	"go.uber.org/zap"

	"hotfolderd/accounts"
	"hotfolderd/cluster"
	"hotfolderd/ftpgate"
)

const (
	tallyPause = time.Second     // between two tellings, so that a flood of wrong passwords costs few writes
	tallyTime  = 5 * time.Second // of one
)

// tally is what one node has counted, for the others: wrong passwords and tokens, and the uploads of FTP users who may have only so
// much a day. Times are this node's.
type tally struct {
	Wrong []accounts.Counted `json:"wrong,omitempty"`
	ftpgate.Tally
}

func (n *Node) tally() tally {
	t := tally{Wrong: n.bans.Tally()}
	if n.gate != nil {
		t.Tally = n.gate.Tally()
	}
	return t
}

func (n *Node) others(node string, t tally) {
	n.bans.Hear(node, t.Wrong)
	if n.gate != nil {
		n.gate.Others(node, t.Tally)
	}
}

func (n *Node) restore(t tally) {
	n.bans.Restore(t.Wrong)
	if n.gate != nil {
		n.gate.Restore(t.Tally)
	}
}

// tallied is never ready without a gate.
func (n *Node) tallied() <-chan struct{} {
	if n.gate == nil {
		return nil
	}
	return n.gate.Tallied()
}

// shareTallies lets the nodes of a cluster know of each other's wrong passwords, and of what users have uploaded that day, until ctx
// ends.
func (n *Node) shareTallies(ctx context.Context) {
	if n.together == nil {
		return
	}
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		n.hearTallies(ctx)
	}()
	defer func() { <-heard }()
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.bans.Told():
		case <-n.tallied():
		}
		n.tellTally(ctx)
		select {
		case <-ctx.Done():
			return
		case <-time.After(tallyPause):
		}
	}
}

// hearTallies takes what the others tell, and what an earlier process of this node has told.
func (n *Node) hearTallies(ctx context.Context) {
	s := n.o.Settings
	restored := false
	cluster.HearTallies(ctx, n.together.conn, s.Cluster.Namespace, func(node string, value []byte) {
		var t tally
		switch err := json.Unmarshal(value, &t); {
		case err != nil:
			n.log.Info("what another node has counted cannot be read", zap.String("node", node), zap.Error(err))
		case node != s.Node.ID:
			n.others(node, t)
		case !restored:
			n.restore(t)
		}
		restored = restored || node == s.Node.ID
	})
}

func (n *Node) tellTally(ctx context.Context) {
	value, err := json.Marshal(n.tally())
	if err == nil {
		ctx, cancel := context.WithTimeout(ctx, tallyTime)
		defer cancel()
		err = cluster.TellTally(ctx, n.together.conn, n.o.Settings.Cluster.Namespace, n.o.Settings.Node.ID, value)
	}
	if err != nil && ctx.Err() == nil {
		n.log.Info("the other nodes were not told of wrong passwords; they are with the next one", zap.Error(err))
	}
}
