package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hotfolderd/cluster"
)

// homeEvery is how often a node looks whether its store was given to another cluster. A bucket is given away only by who took its
// tenure first, which the node sees.
const homeEvery = 5 * time.Second

// alone is what a node without cluster.consul says of itself.
const alone = "this node is alone (no cluster.consul)"

// belongsToNobody refuses the store of a cluster to a node that is alone. It leaves no mark itself: a cluster that comes to its
// store later simply takes it.
func (n *Node) belongsToNobody(ctx context.Context) error {
	h, number, err := n.area.Home(ctx)
	if err != nil {
		return err
	}
	if n.home = number; h.Cluster != "" {
		return ofSettings(cluster.Foreign(h, alone))
	}
	return nil
}

// settle makes sure that the cluster of the settings and the store belong together.
func (n *Node) settle(ctx context.Context) (err error) {
	if n.together.cluster, err = n.belonging().Settle(ctx); err != nil {
		return ofSettings(err)
	}
	_, n.home, err = n.area.Home(ctx)
	return err
}

func (n *Node) belonging() cluster.Belonging {
	return cluster.Belonging{
		Conn: n.together.conn, Namespace: n.o.Settings.Cluster.Namespace, Store: n.area.ID(), Home: n.area, Cluster: n.together.cluster,
	}
}

// watchHome ends the node when its store was given to others: nodes that know nothing of each other must not work side by side.
func (n *Node) watchHome(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	every(ctx, n.lookEvery(homeEvery), func() {
		if err := n.stillHome(ctx); err != nil {
			cancel(err)
		}
	})
	if err := context.Cause(ctx); errors.Is(err, ErrSettings) {
		return err
	}
	return nil
}

// stillHome looks whether the store says what it said. A store that does not answer is not judged here.
func (n *Node) stillHome(ctx context.Context) error {
	if moved, err := n.area.Moved(ctx, n.home); err != nil || !moved {
		return nil
	}
	h, number, err := n.area.Home(ctx)
	if err != nil {
		return nil
	}
	own, wanted := "", alone
	if n.together != nil {
		own = n.together.cluster
		wanted = fmt.Sprintf("this node is a member of cluster %s, namespace %q", own, n.o.Settings.Cluster.Namespace)
	}
	if n.home = number; h.Cluster == own {
		return nil
	}
	return ofSettings(cluster.Foreign(h, wanted))
}
