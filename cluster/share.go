package cluster

import (
	"context"
	"slices"
	"time"
)

// When a node sheds work, and when it takes it again.
const (
	shareLeast    = 0.25
	shedAbove     = 5 * time.Second  // of lag
	shedTimes     = 3                // the median lag of the other importers
	shedEvery     = 10 * time.Second // at most
	calmBelow     = time.Second      // of lag
	calmFor       = 30 * time.Second
	shareInterval = time.Second // between two looks
)

// shedding is what must be remembered from one look to the next.
type shedding struct {
	halved time.Time // last
	calm   time.Time // since when the lag is small; zero: it is not
}

// nextShare is the share that a node should have which has own now, and what to remember. A node that falls behind, when the
// others do not, halves its share; one that has been calm for a while doubles it.
func nextShare(own Member, others []Member, was shedding, now time.Time) (float64, shedding) {
	switch {
	case own.Lag < calmBelow && was.calm.IsZero():
		was.calm = now
	case own.Lag >= calmBelow:
		was.calm = time.Time{}
	}
	median, some := medianLag(others)
	switch {
	case some && own.Lag >= max(shedAbove, shedTimes*median) && own.Share > shareLeast && now.Sub(was.halved) >= shedEvery:
		was.halved = now
		return max(own.Share/2, shareLeast), was
	case own.Share < 1 && !was.calm.IsZero() && now.Sub(was.calm) >= calmFor:
		was.calm = now
		return min(own.Share*2, 1), was
	}
	return own.Share, was
}

// medianLag is that of those who take work; false: nobody does.
func medianLag(others []Member) (time.Duration, bool) {
	var lags []time.Duration
	for _, m := range others {
		if m.Takes() > 0 {
			lags = append(lags, m.Lag)
		}
	}
	if len(lags) == 0 {
		return 0, false
	}
	slices.Sort(lags)
	return (lags[(len(lags)-1)/2] + lags[len(lags)/2]) / 2, true
}

// shed adapts the own share until ctx ends.
func (c *Cluster) shed(ctx context.Context) {
	tick := time.NewTicker(shareInterval)
	defer tick.Stop()
	var was shedding
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			was = c.shedNow(was, now)
		}
	}
}

func (c *Cluster) shedNow(was shedding, now time.Time) shedding {
	if !c.hasContact() {
		return was
	}
	var others []Member
	for _, e := range c.entriesNow() {
		if e.ID != c.o.Self.ID {
			others = append(others, e.Member)
		}
	}
	own := c.Self()
	share, was := nextShare(own, others, was, now)
	if share != own.Share {
		c.setShare(share)
	}
	return was
}

func (c *Cluster) setShare(share float64) {
	c.mu.Lock()
	c.self.Share = share
	c.mu.Unlock()
	nudge(c.dirty)
}
