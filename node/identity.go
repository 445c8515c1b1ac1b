package node

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.uber.org/zap"

	"hotfolderd/storage"
)

// identityEvery is how often the store is asked who it is.
const identityEvery = 2 * time.Second

// identity is what is known of the store being the one that was opened.
type identity struct {
	mu    sync.Mutex
	other bool
}

// watchIdentity stops imports while the store is not the one that was opened: a share that was unmounted or swapped under the
// node.
func (n *Node) watchIdentity(ctx context.Context) {
	every(ctx, n.lookEvery(identityEvery), func() { n.identity.check(ctx, n) })
}

// check looks who the store is, and reports whether it answered that it is the right one. One that does not answer at all is not judged
// here; its hotfolders show it.
func (i *identity) check(ctx context.Context, n *Node) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	err := n.area.CheckIdentity(ctx)
	switch {
	case errors.Is(err, storage.ErrIdentity):
		n.halt("store", err.Error())
		if !i.other {
			n.log.Error("imports stopped", zap.Error(err))
		}
		i.other = true
	case err == nil && i.other:
		i.other = false
		n.halt("store", "")
		n.log.Info("the store is back, imports go on")
	}
	return err == nil
}
