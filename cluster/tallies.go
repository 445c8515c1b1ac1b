package cluster

import (
	"context"
	"fmt"

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
	hear(ctx, conn, consul.Root(namespace)+talliesDir, func(node string, value []byte, _ bool) { heard(node, value) })
}
