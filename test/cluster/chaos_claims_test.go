package cluster_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/hashicorp/consul/api"

	"hotfolderd/asset"
	"hotfolderd/leases/consul/consultest"
)

// claims are the leases of a world as Consul had them, one after the other.
type claims struct {
	w      *world
	begin  time.Time
	stop   context.CancelFunc
	ended  chan struct{}
	mu     sync.Mutex
	seen   map[string]bool   // partition and index
	taken  []claim           // in their order
	nodeOf map[string]string // by session
}

// claim is a partition that was given to a session.
type claim struct {
	partition, token, session string
	from, to                  time.Duration // it was given in between
}

// watchClaims writes down who gets which partition.
func (w *world) watchClaims(server *consultest.Server) *claims {
	w.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	w.t.Cleanup(stop)
	c := &claims{w: w, begin: time.Now(), stop: stop, ended: make(chan struct{}), seen: map[string]bool{}, nodeOf: map[string]string{}}
	cl := server.Client(w.t)
	go func() {
		defer close(c.ended)
		index, last := uint64(0), time.Duration(0)
		for ctx.Err() == nil {
			q := (&api.QueryOptions{WaitIndex: index, WaitTime: 5 * time.Second}).WithContext(ctx)
			pairs, meta, err := cl.KV().List(w.root(), q)
			if err != nil {
				continue
			}
			now := time.Since(c.begin)
			c.see(pairs, last, now)
			index, last = meta.LastIndex, now
		}
	}()
	return c
}

// see takes one look at all keys. What is new came after the look before, which may have been under way for a moment.
func (c *claims) see(pairs api.KVPairs, last, now time.Duration) {
	const underWay = 100 * time.Millisecond
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range pairs {
		key := strings.TrimPrefix(p.Key, c.w.root())
		if id, member := strings.CutPrefix(key, "members/"); member && p.Session != "" {
			c.nodeOf[p.Session] = id
		}
		partition, lease := strings.CutPrefix(key, "leases/")
		token := strconv.FormatUint(p.ModifyIndex, 10)
		if !lease || p.Session == "" || c.seen[partition+" "+token] {
			continue
		}
		c.seen[partition+" "+token] = true
		c.taken = append(c.taken, claim{partition, token, p.Session, max(last-underWay, 0), now})
	}
}

// pause is when a node was stopped.
type pause struct {
	node     string
	from, to time.Time
}

// begun is when a commit was begun at the earliest. A node that goes on after a stop first hears what became of its partitions; what it
// had in hand when it was stopped it may commit before that, late. That it is committed once, and covers nothing newer, the audit sees.
func (c *claims) begun(r record) time.Time {
	for _, p := range c.w.pauses {
		if p.node == r.Node && r.Committed.After(p.from) && r.Committed.Before(p.to.Add(time.Second)) {
			return p.from
		}
	}
	return r.Committed
}

// held is an operation on a partition: it is given with a token, or a drop is committed under a token.
type held struct {
	partition, token, drop string
}

// claimModel: a drop is committed under the token by which its partition is held at that moment.
var claimModel = porcupine.Model{
	Partition: partitioned(func(in any) string { return in.(held).partition }),
	Init:      func() any { return "" },
	Step: func(state, in, _ any) (bool, any) {
		if o := in.(held); o.drop == "" {
			return true, o.token
		}
		return state.(string) == in.(held).token, state
	},
	DescribeOperation: func(in, _ any) string {
		o := in.(held)
		if o.drop == "" {
			return fmt.Sprintf("%s is given with token %s", o.partition, o.token)
		}
		return fmt.Sprintf("%s: %s is committed with token %s", o.partition, o.drop, o.token)
	},
}

// check wants that each record was made by the node that had the drop's partition, under the token that it had it by.
func (c *claims) check(t *testing.T) {
	t.Helper()
	c.stop()
	<-c.ended
	node := map[string]string{} // by partition and token
	var ops []porcupine.Operation
	for _, g := range c.taken {
		node[g.partition+" "+g.token] = c.nodeOf[g.session]
		ops = append(ops, porcupine.Operation{Input: held{partition: g.partition, token: g.token}, Call: int64(g.from), Return: int64(g.to)})
	}
	unseen := 0
	for _, r := range c.w.ledger() {
		if r.Folder == "" {
			continue // it came by the API
		}
		o := held{"p/" + strconv.Itoa(asset.Partition(r.Folder, asset.Key(r.Key), 256)), r.Token[strings.Index(r.Token, ".")+1:], r.Drop[:8]}
		switch by, known := node[o.partition+" "+o.token]; {
		case !known:
			unseen++ // it was had for so short a time that nobody looked
			continue
		case by != r.Node:
			t.Errorf("%s was committed by %s with the token of %q", r.Key, r.Node, by)
		}
		ops = append(ops, porcupine.Operation{ClientId: 1, Input: o, Call: int64(c.begun(r).Sub(c.begin)), Return: int64(r.changed.Sub(c.begin))})
	}
	t.Logf("claims: %d; records whose claim was not seen: %d", len(c.taken), unseen)
	judge(t, "claims", claimModel, ops)
}
