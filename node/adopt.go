package node

import (
	"context"
	"errors"
	"fmt"

	"go.uber.org/zap"

	"hotfolderd/cluster"
	"hotfolderd/config"
	"hotfolderd/leases"
	"hotfolderd/leases/consul"
	"hotfolderd/leases/local"
	"hotfolderd/storage"
	"hotfolderd/workarea"
)

// Adopt gives the store of the settings to their cluster, or to nodes that are alone when they name none. It is false when the
// store belongs there already. [leases.ErrHeld] while a node works on it.
func Adopt(ctx context.Context, s config.Settings) (adopted bool, err error) {
	o, err := (&stores{settings: s.Storage}).reach(ctx, s.Storage.URL, false)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	area, err := workarea.Open(ctx, o.Store, workarea.Options{Node: s.Node.ID, Existing: true})
	if err != nil {
		return false, err
	}
	unlock, err := lockAlone(ctx, o, area)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	if len(s.Cluster.Consul) == 0 {
		return release(ctx, area)
	}
	return take(ctx, s, area)
}

// lockAlone keeps all nodes away from a store.
func lockAlone(ctx context.Context, o *opened, area *workarea.Area) (unlock func() error, err error) {
	if private := o.private(); private != "" {
		var lock *local.Leaser
		if lock, err = local.New(private); err == nil {
			return lock.Close, nil
		}
	} else {
		var t *workarea.Tenure
		if t, err = area.Hold(ctx, workarea.TenureOptions{}); err == nil {
			return func() error { return t.Close(ctx) }, nil
		}
	}
	if errors.Is(err, leases.ErrHeld) {
		err = fmt.Errorf("%w: stop all nodes of this store first", err)
	}
	return nil, err
}

// release lets nodes that are alone work on the store.
func release(ctx context.Context, area *workarea.Area) (bool, error) {
	h, number, err := area.Home(ctx)
	if err != nil || h.Cluster == "" {
		return false, err
	}
	return true, area.SetHome(ctx, storage.Home{}, number)
}

func take(ctx context.Context, s config.Settings, area *workarea.Area) (bool, error) {
	conn, err := consul.Dial(ConsulConfig(s.Cluster, zap.NewNop()))
	if err != nil {
		return false, err
	}
	defer conn.Close()
	b := cluster.Belonging{Conn: conn, Namespace: s.Cluster.Namespace, Store: area.ID(), Home: area}
	return b.Take(ctx, area.RaiseEpoch)
}
