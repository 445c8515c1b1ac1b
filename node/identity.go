package node

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"hotfolderd/storage"
)

// identityEvery is how often the store is asked who it is.
const identityEvery = 2 * time.Second

// watchIdentity stops imports while the store is not the one that was opened: a share that was unmounted or swapped under the
// node. A store that does not answer at all is not judged here; its hotfolders show it.
func (n *Node) watchIdentity(ctx context.Context) {
	halted := false
	every(ctx, identityEvery, func() {
		switch err := n.area.CheckIdentity(ctx); {
		case errors.Is(err, storage.ErrIdentity):
			n.halt("store", err.Error())
			if !halted {
				n.log.Error("imports stopped", zap.Error(err))
			}
			halted = true
		case err == nil && halted:
			halted = false
			n.halt("store", "")
			n.log.Info("the store is back, imports go on")
		}
	})
}
