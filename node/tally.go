package node

import (
	"context"
	"encoding/json"
	"time"

	"go.uber.org/zap"

	"hotfolderd/cluster"
	"hotfolderd/ftpgate"
)

const (
	tallyPause = time.Second     // between two tellings, so that a flood of wrong passwords costs few writes
	tallyTime  = 5 * time.Second // of one
)

// shareTallies lets the gates of a cluster know of each other's wrong passwords, and of what users have uploaded that day, until ctx
// ends.
func (n *Node) shareTallies(ctx context.Context) {
	if n.together == nil || n.gate == nil {
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
		case <-n.gate.Tallied():
			n.tellTally(ctx)
		}
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
		var t ftpgate.Tally
		switch err := json.Unmarshal(value, &t); {
		case err != nil:
			n.log.Info("what another gate has counted cannot be read", zap.String("node", node), zap.Error(err))
		case node != s.Node.ID:
			n.gate.Others(node, t)
		case !restored:
			n.gate.Restore(t)
		}
		restored = restored || node == s.Node.ID
	})
}

func (n *Node) tellTally(ctx context.Context) {
	value, err := json.Marshal(n.gate.Tally())
	if err == nil {
		ctx, cancel := context.WithTimeout(ctx, tallyTime)
		defer cancel()
		err = cluster.TellTally(ctx, n.together.conn, n.o.Settings.Cluster.Namespace, n.o.Settings.Node.ID, value)
	}
	if err != nil && ctx.Err() == nil {
		n.log.Info("the other gates were not told of wrong passwords; they are with the next one", zap.Error(err))
	}
}
