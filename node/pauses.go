package node

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"hotfolderd/admin"
)

// pausesEvery is how often the store is asked for pauses when no message says that there are others.
const pausesEvery = 20 * time.Second

// pauses are what people paused for all nodes. The truth is in the store: a node that starts knows it before it imports.
type pauses struct {
	look chan struct{} // has a signal when somebody said that there are others

	mu  sync.Mutex
	why map[string]string // by hotfolder; replaced, never changed
}

// of says why a hotfolder is paused; empty when it is not.
func (p *pauses) of(hotfolder string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.why[hotfolder]
}

// loadPauses puts in force what the store says.
func (n *Node) loadPauses(ctx context.Context) error {
	all, err := n.area.Pauses(ctx)
	if err != nil {
		return err
	}
	why := make(map[string]string, len(all))
	for hotfolder, p := range all {
		why[hotfolder] = "paused: the nodes watch it, but import nothing"
		if p.Node != "" {
			why[hotfolder] = fmt.Sprintf("paused on node %s at %s: all nodes watch it, but import nothing", p.Node, p.Since.Format("2006-01-02 15:04 MST"))
		}
	}
	n.pauses.mu.Lock()
	n.pauses.why = why
	n.pauses.mu.Unlock()
	n.room.Pause(why)
	return nil
}

// watchPauses looks for others until ctx ends. When the store does not answer, those that are known stay.
func (n *Node) watchPauses(ctx context.Context) {
	tick := time.NewTicker(n.lookEvery(pausesEvery))
	defer tick.Stop()
	for {
		if err := n.loadPauses(ctx); err != nil && ctx.Err() == nil {
			n.log.Info("which hotfolders are paused could not be read", zap.Error(err))
		}
		select {
		case <-ctx.Done():
			return
		case <-n.pauses.look:
		case <-tick.C:
		}
	}
}

// pause is for admin.Backend: it pauses a hotfolder on all nodes, or resumes it.
func (n *Node) pause(ctx context.Context, hotfolder string, on bool) error {
	if !on && n.pausedByRule(hotfolder) {
		return fmt.Errorf("%w: its rule pauses it: set paused: false there", admin.ErrRefused)
	}
	if err := n.mayWrite(); err != nil {
		return err
	}
	if err := n.area.SetPaused(ctx, hotfolder, on); err != nil {
		return err
	}
	n.log.Info(map[bool]string{true: "paused", false: "resumed"}[on], zap.String("hotfolder", hotfolder))
	if err := n.loadPauses(ctx); err != nil {
		return err
	}
	if err := n.askAll(ctx, asksPauses); err != nil {
		n.log.Info("the other nodes were not told of a pause; they find out", zap.Duration("within", pausesEvery), zap.Error(err))
	}
	return nil
}

func (n *Node) pausedByRule(hotfolder string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.specs[hotfolder].Rule.Paused
}
