package hotfolder

import (
	"math/rand/v2"
	"time"

	"hotfolderd/asset"
	"hotfolderd/config"
)

// outageFrom is how many different drops must fail, with no success between, before it is the store's fault and not theirs.
const outageFrom = 8

// outage tells a poisoned drop from a broken store. While the store is at fault one drop at a time is tried, and no drop is
// given up: a full disk must not move ten thousand good files to failed/. Guarded by the room's lock.
type outage struct {
	failed map[asset.Key]struct{} // different drops that failed since the last success
	sure   bool                   // the store itself said so (full, wrong identity)
	until  time.Time
	reason string
}

func (o *outage) on() bool { return o.sure || len(o.failed) >= outageFrom }

// limit is how many drops may be in hand now.
func (o *outage) limit(most int, now time.Time) int {
	switch {
	case !o.on():
		return most
	case now.Before(o.until):
		return 0
	}
	return 1
}

func (o *outage) failure(key asset.Key, sure bool, reason string, until time.Time) {
	if o.failed == nil {
		o.failed = map[asset.Key]struct{}{}
	}
	if len(o.failed) < outageFrom {
		o.failed[key] = struct{}{}
	}
	o.sure = o.sure || sure
	o.reason, o.until = reason, until
}

func (o *outage) success() { *o = outage{} }

// backoff is the pause before the next attempt: doubled each time, between half and all of it by chance, so that many do not
// come back at once.
func backoff(r config.Retry, attempts int) time.Duration {
	d, most := r.Backoff.D(), r.MaxBackoff.D()
	for i := 1; i < attempts && d < most; i++ {
		d *= 2
	}
	d = max(min(d, most), time.Millisecond)
	return d/2 + rand.N(d/2+1)
}
