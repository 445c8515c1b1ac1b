package cluster

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/consul/api"
	"go.uber.org/zap"

	"hotfolderd/leases/consul"
)

const (
	membersDir  = "members/"
	suspectsDir = "suspects/"
	clientsDir  = "clients/"

	contactFor = 3 * time.Second        // after the last answer of the watch there is contact
	vigilEvery = 100 * time.Millisecond // how often that is looked at for the signal; a View looks itself
	absentFor  = 500 * time.Millisecond // the own entry may be missing from the watch just after it was written
)

// entry is a member and the session that holds it.
type entry struct {
	Member
	session string
}

// state is what the watches have seen. Its slices and maps are replaced, never changed.
type state struct {
	members  []entry // by id
	suspects []Suspect
	clients  map[string]bool // by instance
	main     mainNode
	heard    time.Time // when the watch of the members answered last
	absent   time.Time // since when the own entry has been missing; zero: it is there
	contact  bool      // as it was signaled last
	enough   bool      // WaitFor has been reached
}

// look reads everything once, so that there is a view before the watches run.
func (c *Cluster) look(ctx context.Context) error {
	for _, w := range c.watches() {
		pairs, err := c.o.Conn.List(ctx, c.root+w.prefix)
		if err != nil {
			return fmt.Errorf("read %s: %w", w.prefix, err)
		}
		w.Seen(pairs)
	}
	c.noteContact()
	return nil
}

// watched is one prefix and who takes what is seen there.
type watched struct {
	prefix string
	consul.Watching
}

func (c *Cluster) watches() []watched {
	nothing := func() {}
	failed := func(error) {}
	ws := []watched{
		{membersDir, consul.Watching{Seen: c.seenMembers, Same: c.heard, Failed: c.unheard}},
		{suspectsDir, consul.Watching{Seen: c.seenSuspects, Same: nothing, Failed: failed}},
		{clientsDir, consul.Watching{Seen: c.seenClients, Same: nothing, Failed: failed}},
		{storeKey, consul.Watching{Seen: c.seenStore, Same: nothing, Failed: failed}},
	}
	if c.o.Isolation == Static {
		ws = append(ws, watched{mainKey, consul.Watching{Seen: c.seenMain, Same: nothing, Failed: failed}})
	}
	return ws
}

func (c *Cluster) watch(ctx context.Context) {
	var wg sync.WaitGroup
	for _, w := range c.watches() {
		wg.Go(func() { c.o.Conn.Watch(ctx, c.root+w.prefix, w.Watching) })
	}
	wg.Wait()
}

func (c *Cluster) heard() {
	c.mu.Lock()
	c.state.heard = time.Now()
	c.mu.Unlock()
}

func (c *Cluster) unheard(err error) {
	c.o.Log.Debug("consul does not answer the watch of the members", zap.Error(err))
}

func (c *Cluster) seenMembers(pairs api.KVPairs) {
	members := c.entries(pairs)
	c.mu.Lock()
	c.state.members, c.state.heard = members, time.Now()
	c.state.noteOwn(c.o.Self.Instance)
	c.state.enough = c.state.enough || importers(members) >= c.o.WaitFor
	c.mu.Unlock()
	c.metrics.members.Set(float64(len(members)))
	c.signal()
}

// entries are the members, by id. An entry that no session holds is nobody's.
func (c *Cluster) entries(pairs api.KVPairs) []entry {
	var members []entry
	for _, p := range pairs {
		m, err := decode(strings.TrimPrefix(p.Key, c.root+membersDir), p.Value)
		switch {
		case p.Session == "":
		case err != nil:
			c.o.Log.Warn("an entry in Consul cannot be read", zap.Error(err))
		default:
			members = append(members, entry{m, p.Session})
		}
	}
	slices.SortFunc(members, func(a, b entry) int { return cmp.Compare(a.ID, b.ID) })
	return members
}

func importers(members []entry) (n int) {
	for _, m := range members {
		if m.Has(RoleImport) {
			n++
		}
	}
	return n
}

func (c *Cluster) entriesNow() []entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state.members
}

// noteOwn remembers since when the own entry has been missing.
func (s *state) noteOwn(instance string) {
	switch there := slices.ContainsFunc(s.members, func(e entry) bool { return e.Instance == instance }); {
	case there:
		s.absent = time.Time{}
	case s.absent.IsZero():
		s.absent = time.Now()
	}
}

// suspectsValue is what suspects/<node>/<observer> holds. It names the session too, so that what was said of an earlier session
// of the same instance convicts nobody.
type suspectsValue struct {
	Instance string `json:"instance"`
	Session  string `json:"session"`
}

func (c *Cluster) seenSuspects(pairs api.KVPairs) {
	var suspects []Suspect
	for _, p := range pairs {
		node, observer, ok := strings.Cut(strings.TrimPrefix(p.Key, c.root+suspectsDir), "/")
		var v suspectsValue
		if ok && p.Session != "" && json.Unmarshal(p.Value, &v) == nil {
			suspects = append(suspects, Suspect{Node: node, Observer: observer, Instance: v.Instance, session: v.Session})
		}
	}
	c.mu.Lock()
	same := slices.Equal(c.state.suspects, suspects)
	c.state.suspects = suspects
	c.mu.Unlock()
	if !same { // an empty prefix is seen again and again on a busy Consul
		c.signal()
	}
}

func (c *Cluster) seenClients(pairs api.KVPairs) {
	clients := map[string]bool{}
	for _, p := range pairs {
		if p.Session != "" {
			clients[strings.TrimPrefix(p.Key, c.root+clientsDir)] = true
		}
	}
	c.mu.Lock()
	same := maps.Equal(c.state.clients, clients)
	c.state.clients = clients
	c.mu.Unlock()
	if !same {
		c.signal()
	}
}

// seenStore puts back what Consul lost of the cluster while this node is a member of it.
func (c *Cluster) seenStore(pairs api.KVPairs) {
	if len(pairs) == 0 {
		c.writeAnew()
	}
}

// vigil tells when contact comes or goes by time alone, and puts back an own entry that somebody deleted.
func (c *Cluster) vigil(ctx context.Context) {
	tick := time.NewTicker(vigilEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if c.noteContact() && c.missing() {
			c.writeAnew()
		}
	}
}

// noteContact signals when contact is not what it was, and returns it.
func (c *Cluster) noteContact() bool {
	c.mu.Lock()
	now := c.contact()
	changed := now != c.state.contact
	c.state.contact = now
	c.mu.Unlock()
	if changed {
		c.o.Log.Info("contact with the cluster", zap.Bool("contact", now))
		c.metrics.setContact(now)
		c.signal()
	}
	return now
}

// contact: the session lives and the watch has answered lately. mu is held.
func (c *Cluster) contact() bool {
	return time.Since(c.state.heard) < contactFor && c.o.Keeper.Current().Context().Err() == nil
}

func (c *Cluster) hasContact() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.contact()
}

// missing reports, once in a while, that the own entry is not in Consul.
func (c *Cluster) missing() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state.absent.IsZero() || time.Since(c.state.absent) < absentFor {
		return false
	}
	c.state.absent = time.Now()
	return true
}
