package cluster

import (
	"context"
	"fmt"
	"time"

	"hotfolderd/leases/consul"
)

// EnterClient says that a publish-only client, which is no member, lives for as long as the session: [Cluster.Live] of all
// members is true for its instance then. It is said before the client publishes anything.
func EnterClient(ctx context.Context, conn *consul.Conn, session *consul.Session, namespace, instance string) error {
	key := consul.Root(namespace) + clientsDir + instance
	value := time.Now().UTC().AppendFormat(nil, time.RFC3339Nano) // for people
	_, ok, err := conn.Acquire(ctx, session.ID(), key, value)
	if err == nil && !ok {
		err = fmt.Errorf("session %s is not valid any more", session.ID())
	}
	if err != nil {
		return fmt.Errorf("enter client %s: %w", instance, err)
	}
	return nil
}
