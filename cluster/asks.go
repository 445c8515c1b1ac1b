package cluster

import (
	"context"
	"crypto/rand"
	"fmt"

	"hotfolderd/leases/consul"
)

// asksDir has a key for each thing that was ever asked, so the things must be few.
const asksDir = "asks/"

// Ask asks all nodes for something once. It is a hint for those who listen at the moment: what must be remembered is not kept
// here.
func Ask(ctx context.Context, conn *consul.Conn, namespace, what string) error {
	value := rand.Text() // unlike the one before, or nobody would see it
	if err := conn.Put(ctx, consul.Root(namespace)+asksDir+what, []byte(value)); err != nil {
		return fmt.Errorf("ask the nodes for %s: %w", what, err)
	}
	return nil
}

// HearAsks calls heard with what is asked from now on, this node's own asks too, until ctx ends. What was asked several times
// in a moment may be heard once.
func HearAsks(ctx context.Context, conn *consul.Conn, namespace string, heard func(what string)) {
	hear(ctx, conn, consul.Root(namespace)+asksDir, func(what string, _ []byte, first bool) {
		if !first {
			heard(what)
		}
	})
}
