package cluster_test

import (
	"context"
	"time"

	"github.com/hashicorp/consul/api"

	"hotfolderd/leases/consul/consultest"
)

// holders are the partitions as Consul has them: name and session.
func (w *world) holders(cl *api.Client, q *api.QueryOptions) (by map[string]string, index uint64) {
	pairs, meta, err := cl.KV().List(w.root()+"leases/p/", q)
	if err != nil {
		return nil, 0
	}
	by = map[string]string{}
	for _, p := range pairs {
		if p.Session != "" {
			by[p.Key] = p.Session
		}
	}
	return by, meta.LastIndex
}

// handover waits until a partition that this node holds now has another holder, and sends the moment at which that was seen.
func (w *world) handover(s *consultest.Server, from *process) <-chan time.Time {
	w.t.Helper()
	cl := s.Client(w.t)
	session := w.session(cl, from)
	had, index := w.holders(cl, nil)
	seen := make(chan time.Time, 1)
	ctx, cancel := context.WithCancel(context.Background())
	w.t.Cleanup(cancel)
	go func() {
		for ctx.Err() == nil {
			now, next := w.holders(cl, (&api.QueryOptions{WaitIndex: index, WaitTime: 10 * time.Second}).WithContext(ctx))
			index = next
			for name, holder := range now {
				if had[name] == session && holder != session {
					seen <- time.Now()
					return
				}
			}
		}
	}()
	return seen
}

// session is the one by which a node is a member.
func (w *world) session(cl *api.Client, p *process) string {
	w.t.Helper()
	pair, _, err := cl.KV().Get(w.root()+"members/"+p.id, nil)
	if err != nil || pair == nil || pair.Session == "" {
		w.t.Fatalf("%s is no member: %v, %v", p.id, pair, err)
	}
	return pair.Session
}

// root is where the nodes of this world have their keys.
func (w *world) root() string { return "hotfolderd/" + consultest.Namespace(w.t) + "/" }
