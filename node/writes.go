package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"hotfolderd/admin"
	"hotfolderd/asset"
	"hotfolderd/cluster/invalidation"
	"hotfolderd/workarea"
)

// farewellTime is for how long a node that drains takes writes: a load balancer learns of it by its next look at /readyz only.
const farewellTime = 3 * time.Second

// mayWrite refuses what would change the work area while this node must not.
func (n *Node) mayWrite() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.state == admin.Active || n.state == admin.Draining && time.Now().Before(n.farewell) {
		return nil
	}
	if n.state == admin.ReadOnly {
		return fmt.Errorf("%w: %s", admin.ErrReadOnly, n.why)
	}
	return fmt.Errorf("%w: it is %s: %s", admin.ErrReadOnly, n.state, n.why)
}

// putAsset is for admin.Backend. The conditions are looked at when all bytes have come; who writes the name in the moment after
// that makes the version before this one, but where the name must not be there: the store lets one such write have it.
func (n *Node) putAsset(ctx context.Context, name asset.Key, r io.Reader, o admin.PutOptions) (asset.Record, int, error) {
	if err := n.mayWrite(); err != nil {
		return asset.Record{}, 0, err
	}
	rec, out, err := n.area.PutIf(ctx, name, r, workarea.PutOptions{
		Door: asset.DoorHTTP, Once: o.Once, Allowed: func(ctx context.Context) error { return n.check(ctx, name, o) },
		IfAbsent: o.IfNoneMatch != nil && o.IfNoneMatch.Any,
	})
	if err == nil && out.Skipped {
		err = fmt.Errorf("If-None-Match: %w: another write of that name came first", admin.ErrCondition)
	}
	return rec, out.Number, err
}

// removeAsset is for admin.Backend.
func (n *Node) removeAsset(ctx context.Context, name asset.Key) error {
	if err := n.mayWrite(); err != nil {
		return err
	}
	return n.area.Remove(ctx, name)
}

// check holds the conditions of a write against what the name has now.
func (n *Node) check(ctx context.Context, name asset.Key, o admin.PutOptions) error {
	rec, _, err := n.area.Current(ctx, name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return o.Check(rec.Content.Hash, err == nil)
}

// index is for admin.Backend: the newest change that the members were told of. None while this node writes without them: an older
// one would promise what it does not keep.
func (n *Node) index() string {
	if !n.news.Covers() {
		return ""
	}
	return n.news.Last().String()
}

// waitIndex is for admin.Backend.
func (n *Node) waitIndex(ctx context.Context, index string) error {
	i, err := invalidation.ParseIndex(index)
	if err == nil {
		err = n.news.Wait(ctx, i)
	}
	if errors.Is(err, invalidation.ErrIndex) {
		err = fmt.Errorf("%w: %w", admin.ErrIndex, err)
	}
	return err
}

// clearTime bounds telling the others to forget everything.
const clearTime = 5 * time.Second

// clearCache is for admin.Backend.
func (n *Node) clearCache(ctx context.Context) (string, error) {
	bounded, cancel := context.WithTimeout(ctx, clearTime)
	defer cancel()
	i, err := n.news.ClearAll(bounded)
	if err != nil && bounded.Err() != nil && ctx.Err() == nil {
		err = fmt.Errorf("%w: this node has forgotten everything, the others are told when Consul answers", asset.ErrNotNow)
	}
	return i.String(), err
}
