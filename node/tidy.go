package node

import (
	"context"
	"time"

	"go.uber.org/zap"

	"hotfolderd/storage/s3"
)

const (
	tidyFirst = 10 * time.Minute // after the start, so that nodes that start again and again come to it
	tidyEvery = 24 * time.Hour
	tidyAge   = 24 * time.Hour // of what is taken away, or as long as uploads are kept that broke off
	tidyTime  = time.Hour      // for one turn; what is left is taken away by the next
)

// tidyBuckets takes away, once a day, what processes that died left in the buckets: uploads that were never finished cost money, and no
// listing shows them. Of several nodes the one on duty does it.
func (n *Node) tidyBuckets(ctx context.Context) {
	select {
	case <-ctx.Done():
		return
	case <-time.After(tidyFirst):
	}
	age := tidyAge + n.o.Settings.FTP.ResumeTTL.D()
	n.tidyOnce(ctx, age)
	every(ctx, tidyEvery, func() { n.tidyOnce(ctx, age) })
}

func (n *Node) tidyOnce(ctx context.Context, age time.Duration) {
	if !n.onDuty() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, tidyTime)
	defer cancel()
	for _, b := range n.stores.buckets() {
		took, err := b.Tidy(ctx, age)
		if took > 0 {
			n.log.Info("took away what broken-off work left in a bucket", zap.Stringer("store", b), zap.Int("things", took))
		}
		if err != nil && ctx.Err() == nil {
			n.log.Warn("a bucket was not tidied; tried again in a day", zap.Stringer("store", b), zap.Error(err))
		}
	}
}

// onDuty reports whether this node does what one does for all.
func (n *Node) onDuty() bool {
	if n.together == nil {
		return true
	}
	return n.together.members.Duty()
}

// buckets are the opened stores that are buckets.
func (s *stores) buckets() []*s3.Store {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*s3.Store
	for _, o := range s.all {
		if o.bucket != nil {
			all = append(all, o.bucket)
		}
	}
	return all
}
