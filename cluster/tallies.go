package cluster

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/hashicorp/consul/api"

	"hotfolderd/leases/consul"
)

// talliesDir has one key for each node that has a gate, whatever is counted.
const talliesDir = "tallies/"

// TellTally leaves what a node has counted for the others, in place of what it told before.
func TellTally(ctx context.Context, conn *consul.Conn, namespace, node string, value []byte) error {
	if err := conn.Put(ctx, consul.Root(namespace)+talliesDir+node, value); err != nil {
		return fmt.Errorf("tell the nodes what was counted: %w", err)
	}
	return nil
}

// HearTallies calls heard with what each node has told last, this one's own too, at the start and whenever it changes, until ctx ends.
func HearTallies(ctx context.Context, conn *consul.Conn, namespace string, heard func(node string, value []byte)) {
	prefix := consul.Root(namespace) + talliesDir
	// One key must be there: an empty prefix wakes its watchers with every write to Consul. Without it they only work more.
	_, _, _ = conn.CAS(ctx, &api.KVPair{Key: prefix, Value: []byte(strconv.Itoa(rand.Int()))})
	known := map[string]uint64{}
	conn.Watch(ctx, prefix, consul.Watching{Seen: func(pairs api.KVPairs) {
		for _, p := range pairs {
			node := strings.TrimPrefix(p.Key, prefix)
			if node != "" && known[node] != p.ModifyIndex {
				known[node] = p.ModifyIndex
				heard(node, p.Value)
			}
		}
	}})
}
