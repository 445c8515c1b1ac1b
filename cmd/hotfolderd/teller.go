package main

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"go.uber.org/zap"

	"hotfolderd/asset"
	"hotfolderd/cluster"
	"hotfolderd/cluster/invalidation"
	"hotfolderd/config"
	"hotfolderd/leases/consul"
	"hotfolderd/node"
	"hotfolderd/storage"
	"hotfolderd/workarea"
)

// teller tells the nodes of a cluster what a command changes, as a client that is no member. It connects when there is something
// to tell: a new name needs nobody to be told.
type teller struct {
	settings config.Settings
	store    storage.Store
	area     *workarea.Area // of the store, once it is open

	mu    sync.Mutex
	log   *invalidation.Log
	close []func(context.Context) error
}

// Begin implements workarea.Changes.
func (t *teller) Begin(ctx context.Context, name asset.Key) (end func(context.Context) error, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.log == nil {
		if err := t.connect(ctx); err != nil {
			return nil, fmt.Errorf("the nodes cannot be told that %s changes: %w", name.Quoted(), err)
		}
	}
	return t.log.Begin(ctx, name)
}

func (t *teller) connect(ctx context.Context) error {
	c := t.settings.Cluster
	conn, err := consul.Dial(node.ConsulConfig(c, zap.NewNop()))
	if err != nil {
		return err
	}
	t.close = append(t.close, func(context.Context) error { conn.Close(); return nil })
	b := cluster.Belonging{Conn: conn, Namespace: c.Namespace, Store: t.area.ID(), Home: t.area}
	if err := b.Check(ctx); err != nil {
		return err
	}
	keeper, err := consul.Keep(ctx, conn, consul.KeepOptions{Namespace: c.Namespace, Node: t.settings.Node.ID, TTL: c.SessionTTL.D()})
	if err != nil {
		return err
	}
	t.close = append(t.close, func(context.Context) error { return keeper.Close() })
	log, closeLog, err := invalidation.Publish(ctx, conn, keeper, invalidation.Options{
		Root: consul.Root(c.Namespace), Node: t.settings.Node.ID, Instance: cluster.NewInstance(t.settings.Node.ID), Store: t.store,
	})
	if err != nil {
		return err
	}
	t.log, t.close = log, append(t.close, closeLog)
	return nil
}

// index is the place of the last change that the nodes were told of; empty when there was none.
func (t *teller) index() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.log == nil {
		return ""
	}
	return t.log.Last().String()
}

// end lets go of everything, the newest first.
func (t *teller) end(ctx context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	var errs []error
	for len(t.close) > 0 {
		last := len(t.close) - 1
		errs = append(errs, t.close[last](ctx))
		t.close = t.close[:last]
	}
	return errors.Join(errs...)
}
