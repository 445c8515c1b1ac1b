package node

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"hotfolderd/admin"
	"hotfolderd/asset"
	"hotfolderd/cluster"
	"hotfolderd/cluster/shares"
	"hotfolderd/leases/consul"
)

// joining is why nothing is done before the node is a member.
const joining = "the node is not a member yet"

// clusterView is for admin.Backend.
func (n *Node) clusterView() admin.Cluster {
	n.mu.Lock()
	members := n.together.members
	n.mu.Unlock()
	if members == nil {
		return admin.Cluster{
			Node: n.o.Settings.Node.ID, Instance: n.instance, Isolation: n.o.Settings.Cluster.Isolation,
			Why: joining, ImportingWhy: joining, Invalidation: n.invalidationView(),
		}
	}
	v := members.View()
	writable, why := v.Writable()
	importing, importingWhy := v.Importing()
	c := admin.Cluster{
		Node: v.Self, Instance: n.instance, Main: v.Duty, Isolation: n.o.Settings.Cluster.Isolation, Contact: v.Contact,
		Writable: writable, Why: why, Importing: importing, ImportingWhy: importingWhy, Drift: v.Drift(),
		Invalidation: n.invalidationView(),
	}
	if v.Main != "" {
		c.Main = v.Main
	}
	parts := n.parts()
	for _, m := range v.Members {
		m.State = n.stateOf(m)
		c.Members = append(c.Members, memberView(m, v, parts))
	}
	own := 0
	for _, h := range n.claims.now().Status() {
		if shares.Common(h.Name) {
			own++
		}
		c.Partitions = append(c.Partitions, admin.Partition{Name: h.Name, Token: h.Token.String(), InHand: h.InHand, Draining: h.Draining})
	}
	for i := range c.Members {
		if c.Members[i].Self { // without contact it is not what Consul said last
			c.Members[i].Part = part(own)
		}
	}
	return c
}

// stateOf is the state of a member. The node's own entry may be from before Consul went away.
func (n *Node) stateOf(m cluster.Member) string {
	if m.ID == n.o.Settings.Node.ID {
		return string(n.State())
	}
	return m.State
}

// parts are how many of the partitions that all share each session holds.
func (n *Node) parts() map[string]int {
	parts := map[string]int{}
	for name, h := range n.together.leaser.Holders() {
		if shares.Common(name) {
			parts[h.Session]++
		}
	}
	return parts
}

// heldBy is for admin.Backend: what another member held when Consul was heard last.
func (n *Node) heldBy(id string) (all []admin.Partition) {
	n.mu.Lock()
	members := n.together.members
	n.mu.Unlock()
	if members == nil {
		return nil
	}
	m, _ := members.View().Member(id)
	for name, h := range n.together.leaser.Holders() {
		if h.Session == m.Session {
			all = append(all, admin.Partition{Name: name, Token: h.Token.String()})
		}
	}
	slices.SortFunc(all, func(a, b admin.Partition) int {
		return cmp.Or(cmp.Compare(len(a.Name), len(b.Name)), cmp.Compare(a.Name, b.Name))
	})
	return all
}

func part(partitions int) float64 { return float64(partitions) / shares.DefaultPartitions }

// forgetMain is for admin.Backend.
func (n *Node) forgetMain(ctx context.Context, id string) error {
	n.mu.Lock()
	members := n.together.members
	n.mu.Unlock()
	if members == nil {
		return fmt.Errorf("%w: %s", asset.ErrNotNow, joining)
	}
	err := members.Forget(ctx, id)
	switch {
	case errors.Is(err, cluster.ErrForget):
		return fmt.Errorf("%w: %w", admin.ErrRefused, err)
	case errors.Is(err, consul.ErrUnreachable):
		return fmt.Errorf("%w: %w", asset.ErrNotNow, err)
	}
	return err
}

func memberView(m cluster.Member, v cluster.View, parts map[string]int) admin.Member {
	suspected := false
	for _, s := range v.Suspects {
		suspected = suspected || s.Instance == m.Instance
	}
	return admin.Member{
		ID: m.ID, Instance: m.Instance, Address: m.Address, State: admin.State(m.State), Roles: m.Roles, Weight: m.Weight,
		Priority: m.Priority, Share: m.Share, Part: part(parts[m.Session]), Version: m.Version, Rules: m.Rules, RulesVersion: m.RulesVersion, Waiting: m.Waiting,
		Lag: m.Lag, Started: m.Started, Suspected: suspected, Self: m.ID == v.Self, Gate: (*admin.Gate)(m.Gate),
	}
}

func (n *Node) invalidationView() admin.Invalidation {
	s := n.news.Status()
	v := admin.Invalidation{Fresh: s.Fresh, Lag: s.Lag, Last: s.Last.String(), Clears: s.Clears, Why: s.Why, Events: s.Applied}
	for _, o := range s.Origins {
		v.Origins = append(v.Origins, admin.Origin{
			Log: o.Log, Newest: o.Seq, Followed: o.Applied, Open: o.Open, Closed: o.Closed, Self: o.Own,
		})
	}
	return v
}
