package node

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"hotfolderd/storage"
)

const (
	// identityEvery is how often the store is asked who it is.
	identityEvery = 2 * time.Second
	// bucketIdentityEvery is the same for a bucket: nobody unmounts one, and each question is paid for.
	bucketIdentityEvery = time.Minute
)

// watchIdentity stops imports while the store is not the one that was opened: a share that was unmounted or swapped under the
// node. A store that does not answer at all is not judged here; its hotfolders show it.
func (n *Node) watchIdentity(ctx context.Context) {
	halted := false
	every(ctx, n.identityEvery(), func() {
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

func (n *Node) identityEvery() time.Duration {
	if isBucket(n.o.Settings.Storage.URL) {
		return bucketIdentityEvery
	}
	return identityEvery
}
