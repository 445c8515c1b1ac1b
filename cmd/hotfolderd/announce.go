package main

import (
	"context"
	"fmt"
	"strconv"

	"hotfolderd/config"
	"hotfolderd/leases/consul"
)

// announceRules tells the nodes of a cluster that version n of the rules is published, so that they need not wait until they look
// by themselves. It is a hint: what is in the store counts. A node that is alone is told nothing.
func announceRules(ctx context.Context, s config.Settings, n int) error {
	if len(s.Cluster.Consul) == 0 {
		return nil
	}
	conn, err := consul.Dial(consulConfig(s.Cluster))
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.Put(ctx, consul.Root(s.Cluster.Namespace)+"rules", strconv.AppendInt(nil, int64(n), 10)); err != nil {
		return fmt.Errorf("announce rules version %d: %w", n, err)
	}
	return nil
}

func consulConfig(c config.Cluster) consul.Config {
	return consul.Config{
		Addresses: c.Consul, TokenFile: c.TokenFile,
		TLS: consul.TLS{CA: c.TLS.CA, Cert: c.TLS.Cert, Key: c.TLS.Key, ServerName: c.TLS.ServerName},
	}
}
