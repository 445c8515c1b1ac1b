package node

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"go.uber.org/zap"

	"hotfolderd/asset"
	"hotfolderd/cluster"
	"hotfolderd/storage"
	"hotfolderd/storage/guard"
)

// mustAnswer says what to do about a work area that does not answer when the node starts.
func mustAnswer(where string, err error) error {
	if !errors.Is(err, storage.ErrSilent) {
		return err
	}
	return fmt.Errorf("store %s: %w, and no node starts without its work area: see that its server runs and can be reached, then start again",
		strconv.Quote(where), storage.ErrSilent)
}

// bound bounds the calls to a share, which may hang. A local disk does not, or the whole machine does.
func (o *opened) bound() {
	if o.disk == nil || !o.Properties().Remote {
		return
	}
	inner := o.Store
	ask := func(ctx context.Context) error {
		if _, err := inner.Stat(ctx, asset.Root); errors.Is(err, storage.ErrIdentity) {
			return err
		}
		return o.disk.Ask(ctx)
	}
	o.calls = guard.NewCalls(ask, guard.Options{Name: o.folder})
	o.Store = guard.New(inner, o.calls)
}

// Ask returns why the folder of this store cannot be used now; nil when it can, and for a bucket. It takes some seconds at most.
func (o *opened) Ask(ctx context.Context) error {
	switch {
	case o.calls != nil:
		return o.calls.Ask()
	case o.disk != nil:
		if err := o.disk.Ask(ctx); err != nil {
			return err
		}
		return o.missing
	}
	return nil
}

// warnOfCase says that names get in each other's way, where the work area's file system does not tell some of them apart.
func (n *Node) warnOfCase(main *opened) {
	if main.disk != nil && main.disk.FoldsCase() {
		n.log.Warn("the file system of the work area does not tell upper from lower case", zap.String("path", main.folder))
	}
}

// Close gives the store back.
func (o *opened) Close() error { return o.calls.Close(o.closer.Close) }

// folders are the opened stores that are folders, with their addresses.
func (s *stores) folders() map[string]*opened {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string]*opened{}
	for address, o := range s.all {
		if o.folder != "" {
			all[address] = o
		}
	}
	return all
}

// absent are the stores that could not be used at the last look, and why.
type absent struct {
	mu  sync.Mutex
	why map[storage.Store]string
}

// watchShares asks every share whether it is there, so that its hotfolders say so although nothing happens in them, and go on as soon
// as it is back.
func (n *Node) watchShares(ctx context.Context) {
	every(ctx, identityEvery, func() {
		var all sync.WaitGroup
		for address, o := range n.stores.folders() {
			all.Go(func() { n.look(ctx, address, o) })
		}
		all.Wait()
		n.tellAbsent()
	})
}

// look asks one store, and takes note of what it has answered.
func (n *Node) look(ctx context.Context, address string, o *opened) {
	err := o.Ask(ctx)
	if err == nil && o.isAwaited() || errors.Is(err, storage.ErrIdentity) && !errors.Is(err, errNotMounted) && o.calls == nil && o != n.main {
		err = n.renew(ctx, address, o)
	}
	why := ""
	if errors.Is(err, storage.ErrSilent) || errors.Is(err, storage.ErrIdentity) { // of anything else the hotfolders tell
		why = err.Error()
	}
	switch before := n.absent.note(o, why); {
	case before == why:
	case why != "":
		n.log.Error("a share cannot be used", zap.String("path", o.folder), zap.Error(err))
		n.haltMain(o, why)
		n.tellAbsent()
	default:
		n.log.Info("the share is back", zap.String("path", o.folder))
		n.haltMain(o, "")
		n.tellAbsent()
		n.goOn(ctx, o)
	}
}

func (a *absent) note(o *opened, why string) (before string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.why == nil {
		a.why = map[storage.Store]string{}
	}
	before = a.why[o]
	a.why[o] = why
	return before
}

// haltMain stops imports while the work area's store cannot be used by this node. Those that can use it take its partitions.
func (n *Node) haltMain(o *opened, why string) {
	if o != n.main {
		return
	}
	n.halt("share", why)
	if n.together == nil || n.together.members == nil {
		return
	}
	weight := n.o.Settings.Node.Weight
	if why != "" {
		weight = 0
	}
	n.together.members.Update(func(m *cluster.Member) { m.Weight = weight })
}

// renew opens a folder of this machine's disk anew that was replaced, most likely since a share was mounted there: what people drop
// comes there now. Nothing can be lost by that, since it is a place for drops only.
func (n *Node) renew(ctx context.Context, address string, o *opened) error {
	if err := n.stores.renew(ctx, address, o); err != nil {
		return err
	}
	n.log.Info("another folder is there than before; it is opened anew", zap.String("path", o.folder))
	n.reload(ctx)
	return nil
}

// renew puts what is at an address now in the place of the store that was. That one is closed with all others: walks may be at work in
// it. Its error wraps [storage.ErrIdentity].
func (s *stores) renew(ctx context.Context, address string, o *opened) error {
	s.opening.Lock()
	defer s.opening.Unlock()
	now, err := s.reach(ctx, address, false)
	if err != nil {
		return fmt.Errorf("%w: %w", storage.ErrIdentity, err)
	}
	now.Store = s.wrap(now.Store)
	now.bound()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all[address] = now
	s.replaced = append(s.replaced, o)
	return nil
}

// tellAbsent has the hotfolders of stores that cannot be used say so.
func (n *Node) tellAbsent() {
	why := map[string]string{}
	n.mu.Lock()
	n.absent.mu.Lock()
	for name, s := range n.specs {
		if w := n.absent.why[s.Store]; w != "" {
			why[name] = w
		}
	}
	n.absent.mu.Unlock()
	n.mu.Unlock()
	n.room.Absent(why)
}

// goOn has the hotfolders try again what a store was at fault for, and look for what came meanwhile: those in it, and all when it is the
// work area's. Rules that were refused are tried again: it may have been for that store.
func (n *Node) goOn(ctx context.Context, o *opened) {
	n.mu.Lock()
	refused := n.rulesError != ""
	n.mu.Unlock()
	if refused {
		n.reload(ctx)
	}
	n.mu.Lock()
	var names []string
	for name, s := range n.specs {
		if s.Store == storage.Store(o) || o == n.main {
			names = append(names, name)
		}
	}
	n.mu.Unlock()
	for _, name := range names {
		_ = n.room.Again(name) // both fail for one that has just gone
		_ = n.room.Scan(name)
	}
}
