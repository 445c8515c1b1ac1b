package cluster

import (
	"context"
	"fmt"
	"strconv"

	"github.com/hashicorp/consul/api"
	"go.uber.org/zap"

	"hotfolderd/leases/consul"
)

// Epoch returns the epoch that tokens of leases carry: the same for all members, and a greater one after Consul was rebuilt and
// counts its indexes anew. It must be called before leases are made.
//
// raise gives the shared store's epoch, after making it at least atLeast, durably; with 0 it changes nothing and returns 0 when
// there is none. KV `epoch` remembers it. When that is missing or smaller than the store's, those who start now agree by
// compare-and-swap on the next one, and raise the store to it before they use it.
func Epoch(ctx context.Context, conn *consul.Conn, namespace string, raise func(ctx context.Context, atLeast uint64) (uint64, error)) (uint64, error) {
	key := consul.Root(namespace) + "epoch"
	for {
		pair, have, err := readEpoch(ctx, conn, key)
		if err != nil {
			return 0, err
		}
		stored, err := raise(ctx, have)
		if err != nil {
			return 0, fmt.Errorf("raise the store's epoch to %d: %w", have, err)
		}
		if stored < have {
			return 0, fmt.Errorf("raise the store's epoch to %d: the store says %d", have, stored)
		}
		if pair.ModifyIndex != 0 && have > 0 && stored == have {
			return have, nil
		}
		pair.Value = strconv.AppendUint(nil, stored+1, 10)
		if _, _, err := conn.CAS(ctx, pair); err != nil {
			return 0, fmt.Errorf("write the cluster's epoch: %w", err)
		}
	}
}

// readEpoch returns an empty pair when there is no epoch yet.
func readEpoch(ctx context.Context, conn *consul.Conn, key string) (*api.KVPair, uint64, error) {
	pair, err := conn.Get(ctx, key)
	if err != nil {
		return nil, 0, fmt.Errorf("read the cluster's epoch: %w", err)
	}
	if pair == nil {
		return &api.KVPair{Key: key}, 0, nil
	}
	n, err := strconv.ParseUint(string(pair.Value), 10, 64)
	if err != nil {
		return nil, 0, fmt.Errorf("consul key %q is damaged (delete it, and a new epoch begins): %w", key, err)
	}
	return pair, n, nil
}

// agreeOnEpoch looks whether the epoch that this node works in is still in force.
func (c *Cluster) agreeOnEpoch(ctx context.Context, again bool) error {
	if c.o.Epoch == nil {
		return nil
	}
	before := c.epoch
	if _, now, err := readEpoch(ctx, c.o.Conn, c.root+"epoch"); again && err == nil && now == before {
		return nil // the store need not be asked
	}
	now, err := Epoch(ctx, c.o.Conn, c.o.Namespace, c.o.Epoch)
	if err != nil {
		return err
	}
	c.epoch = now
	if again && now != before {
		c.o.Log.Warn("consul was rebuilt: a new epoch begins", zap.Uint64("epoch", now), zap.Uint64("before", before))
	}
	return nil
}
