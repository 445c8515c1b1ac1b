package cluster

import (
	"context"
	"strconv"

	"github.com/hashicorp/consul/api"

	"hotfolderd/leases/consul"
)

func rulesKey(namespace string) string { return consul.Root(namespace) + "rules" }

// AnnounceRules tells all nodes that a rule set was published under this number. It is a hint: nodes look for themselves now
// and then.
func AnnounceRules(ctx context.Context, conn *consul.Conn, namespace string, number int) error {
	return conn.Put(ctx, rulesKey(namespace), []byte(strconv.Itoa(number)))
}

// HearRules calls heard when rules were announced, and once at the start, until ctx ends.
func HearRules(ctx context.Context, conn *consul.Conn, namespace string, heard func()) {
	conn.Watch(ctx, rulesKey(namespace), consul.Watching{
		Seen: func(api.KVPairs) { heard() }, Same: func() {}, Failed: func(error) {},
	})
}
