package cluster

import (
	"context"
	"crypto/rand"
	"strings"

	"github.com/hashicorp/consul/api"

	"hotfolderd/leases/consul"
)

// hear calls heard with each key below a prefix that is new or was written again, until ctx ends. At the start that is every key that
// there is, and first is true. What was written several times in a moment may be heard once.
func hear(ctx context.Context, conn *consul.Conn, prefix string, heard func(name string, value []byte, first bool)) {
	// One key must be there: an empty prefix wakes its watchers with every write to Consul. Without it they only work more.
	_, _, _ = conn.CAS(ctx, &api.KVPair{Key: prefix, Value: []byte(rand.Text())})
	var known map[string]uint64
	conn.Watch(ctx, prefix, consul.Watching{Seen: func(pairs api.KVPairs) {
		before := known
		known = make(map[string]uint64, len(pairs))
		for _, p := range pairs {
			name := strings.TrimPrefix(p.Key, prefix)
			known[name] = p.ModifyIndex
			if name != "" && before[name] != p.ModifyIndex {
				heard(name, p.Value, before == nil)
			}
		}
	}})
}
