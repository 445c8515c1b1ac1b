package node

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"hotfolderd/admin"
	"hotfolderd/config"
)

const (
	// gainWait is how long the first scan waits for the first shares: before that it would find nothing of its own.
	gainWait = 2 * time.Second
	// closeTime is what an orderly end may take beyond the walks in hand.
	closeTime = 10 * time.Second
)

// ErrHung is returned by Run when a store did not answer while the node ended. Nothing is lost: what was in hand is walked again
// at the next start. Goroutines that hang in the store are left behind, so the process should end.
var ErrHung = errors.New("a store does not answer; ended without waiting for it")

// Run works until ctx ends or the node was told to drain, then finishes what is in hand and closes everything. It returns nil
// after an orderly end.
func (n *Node) Run(ctx context.Context) error {
	defer n.left()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-n.leave:
			cancel()
		case <-ctx.Done():
		}
	}()
	done := make(chan error, 1)
	go func() {
		defer close(n.ended)
		done <- errors.Join(n.run(ctx), n.Close())
	}()
	hung := make(chan struct{})
	defer context.AfterFunc(ctx, func() { time.AfterFunc(n.grace()+closeTime, func() { close(hung) }) })()
	select {
	case err := <-done:
		return err
	case <-hung:
		return ErrHung
	}
}

// grace is how long what is in hand may go on: walks, transfers by FTP and uploads by HTTP.
func (n *Node) grace() time.Duration {
	longest := n.room.Grace()
	if n.gate != nil {
		longest = max(longest, n.gate.Grace())
	}
	if n.drops != nil {
		longest = max(longest, n.drops.Grace())
	}
	return longest
}

func (n *Node) left() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.state = admin.Left
}

// Drain tells the node to leave: it takes nothing new, finishes what it has in hand within the deadline, gives everything back
// and ends its Run. It returns at once; only the first call counts.
func (n *Node) Drain(deadline time.Duration) {
	n.leaving.Do(func() {
		n.log.Info("draining", zap.Duration("deadline", deadline))
		n.room.SetGrace(deadline)
		if n.gate != nil {
			n.gate.SetGrace(deadline)
		}
		if n.drops != nil {
			n.drops.SetGrace(deadline)
		}
		close(n.leave)
	})
}

func (n *Node) run(ctx context.Context) error {
	// The journal, the page and the talk with the members outlive the imports, so that the last events are written and told.
	late, endLate := context.WithCancel(context.WithoutCancel(ctx))
	defer endLate()
	g, gctx := errgroup.WithContext(late)
	g.Go(func() error { return n.area.Journal().Run(gctx) })
	if n.web != nil {
		g.Go(func() error { return n.awaitAnswered(gctx) })
	}
	if t := n.tenure.Load(); t != nil {
		g.Go(func() error { return t.Run(gctx) })
	}
	if n.together != nil {
		g.Go(func() error { return ofSettings(n.together.members.Run(gctx)) })
	}
	g.Go(func() error {
		defer endLate()
		err := errors.Join(n.withLog(ctx, gctx), n.sayGoodbye(gctx))
		return err
	})
	return g.Wait()
}

// withLog runs the imports while the log of changes runs, which ends after them: it must publish the last of them.
func (n *Node) withLog(ctx, late context.Context) error {
	g, gctx := errgroup.WithContext(late)
	lctx, endLog := context.WithCancel(gctx)
	g.Go(func() error { return n.news.Run(lctx) })
	g.Go(func() error {
		defer endLog()
		return n.runImports(ctx, gctx)
	})
	return g.Wait()
}

// sayGoodbye takes the node out of the members, so that the others need not find out.
func (n *Node) sayGoodbye(ctx context.Context) error {
	n.become(admin.Draining, "")
	if n.together == nil {
		return nil
	}
	lctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime/2)
	defer cancel()
	if err := n.together.members.Leave(lctx); err != nil {
		n.log.Warn("the members were not told; they will find out", zap.Error(err))
	}
	return nil
}

// runImports runs what ends with ctx; it also ends when the journal, the page or the talk with the members fails.
func (n *Node) runImports(ctx, late context.Context) error {
	ictx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(late, cancel)()
	// Members are to know that this node leaves before it gives its shares back.
	defer context.AfterFunc(ictx, func() { n.become(admin.Draining, "it is leaving") })()
	g, gctx := errgroup.WithContext(ictx)
	if n.o.Settings.Node.HasRole(config.RoleImport) {
		g.Go(func() error { return n.claims.shares.Run(gctx) })
		g.Go(func() error { n.awaitShares(gctx); return n.room.Run(gctx) })
	}
	if n.gate != nil {
		g.Go(func() error { return n.runGate(gctx) })
	}
	if n.drops != nil {
		g.Go(func() error { return n.drops.Run(gctx) })
	}
	g.Go(func() error { return n.watchHome(gctx) })
	loops := []func(context.Context){
		n.followMembers, n.sendHints, n.tellScans, n.shareTallies, n.watchRules, n.hearOfRules, n.hearAsks, n.watchPauses, n.watchIdentity, n.watchShares, n.rates.run,
		n.pruneJournal, n.tidyBuckets, n.sweepCache, n.jobs.Run, n.sweepJobs, n.watchFiles,
	}
	for _, loop := range loops {
		g.Go(func() error { loop(gctx); return nil })
	}
	return g.Wait()
}

// awaitShares waits until this node has some, but not for long: others may have them all.
func (n *Node) awaitShares(ctx context.Context) {
	select {
	case <-n.gained:
	case <-ctx.Done():
	case <-time.After(gainWait):
	}
}

// gainedShares makes all hotfolders look again: what they passed by may be this node's now.
func (n *Node) gainedShares() {
	n.gainOnce.Do(func() { close(n.gained) })
	_ = n.room.Scan("") // it fails for an unknown hotfolder only
}
