package thumbnails

import (
	"context"
	"io"
	"time"

	"go.uber.org/zap"

	"hotfolderd/storage"
)

// RenewAfter is how often at most a thumbnail that is in use is written again: once a day.
const RenewAfter = 24 * time.Hour

// renewal lets a store remember what was used, by the time at which it was written. Stores do not say when a file was read, or not
// reliably: shares are mounted without that, and buckets do not know it.
type renewal struct {
	after time.Duration
	may   func() error
}

// used writes a thumbnail again when it was written long ago. That it fails is no reason not to serve it.
func (r *Room) used(ctx context.Context, rd storage.Reader) {
	o := rd.Object()
	if r.renew.after <= 0 || time.Since(o.Changed) < r.renew.after || r.renew.may != nil && r.renew.may() != nil {
		return
	}
	_, err := r.store.Put(ctx, o.Key, io.NewSectionReader(rd, 0, o.Size), storage.PutOptions{IfVersion: o.Version, Deferred: true, Brief: true})
	if err != nil {
		r.log.Debug("a thumbnail that is in use was not written again", zap.String("key", string(o.Key)), zap.Error(err))
		return
	}
	r.metrics.renewed.Inc()
}
