package hotfolder

import (
	"context"
	"time"

	"go.uber.org/zap"

	"hotfolderd/storage"
)

// The steps of a scan. What is waited for in the second is another node, not a store.
const (
	stepScan   = "scan"
	stepBorrow = "scan by another node"
)

const (
	ownEvery   = time.Hour        // a node that borrows all scans makes one itself, for what the other does not see
	borrowTime = 10 * time.Minute // for one that takes longer nobody waits
)

// Joins says that the node that looks for all is about to scan a hotfolder: this one takes part, so that it does not ask for one soon.
func (r *Room) Joins(hotfolder string) {
	if f := r.named(hotfolder); f != nil {
		nudge(f.scanJoins)
	}
}

// borrows reports whether another node's scan will do.
func (f *folder) borrows() bool {
	return f.shared() && !f.looksForAll() && time.Since(f.ownScan) < ownEvery
}

// borrow takes part in a scan by the node that looks for all. When it reports false, that was not to be had to its end.
func (s *scan) borrow(join bool) bool {
	s.f.loans.refuse(ErrNotLent)
	ctx, cancel := context.WithTimeout(s.ctx, borrowTime)
	defer cancel()
	s.p.enter(stepBorrow)
	defer s.p.enter(stepScan)
	left, err := s.f.r.d.Borrow(ctx, s.f.rule.Hotfolder, join, func(o *storage.Object) {
		s.p.beat()
		if o != nil {
			o.Key = s.f.prefix.Join(o.Key)
			s.see(*o)
		}
	})
	if err != nil {
		s.f.log.Debug("no scan by the node that looks for all", zap.Bool("join", join), zap.Error(err))
		return false
	}
	s.ignored, s.refused, s.took = left.Ignored, left.Refused, left.Took
	s.count(s.ignored, s.refused)
	return true
}
