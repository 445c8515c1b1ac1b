package node

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"hotfolderd/storage"
	"hotfolderd/storage/guard"
)

// hanging is a store that gives no time to anything until it is closed.
type hanging chan struct{}

func (h hanging) SetTime(context.Context, storage.Object, time.Time) (storage.Object, error) {
	<-h
	return storage.Object{}, nil
}

func TestDating_waitsForNoShareThatIsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		share := hanging(make(chan struct{}))
		defer close(share)
		ask := func(context.Context) error { <-share; return nil }
		o := opened{calls: guard.NewCalls(ask, guard.Options{Name: "/mnt/share"})}
		if _, err := o.dating(share)(t.Context(), storage.Object{}, time.Now()); !errors.Is(err, storage.ErrSilent) {
			t.Errorf("want it said that the share does not answer, got %v", err)
		}
	})
}
