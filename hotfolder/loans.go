package hotfolder

import (
	"context"
	"errors"
	"sync"
	"time"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// A whole scan of a share costs its server a call or more for each file, and would cost that for each node. So the node that looks for all
// lends its scans: the others say what is theirs and are told of that while it is found, as if they had scanned.

const (
	gatherTime = 200 * time.Millisecond // from the word that a scan begins to its begin, for others to say that they take part
	loanAhead  = 1024                   // things that wait for one who is told
	loanSlow   = 5 * time.Second        // who is told and takes nothing for so long is left behind
	loanBeat   = time.Second            // between signs of life
	stillFor   = stallAfter             // without progress, a scan gives no sign of life
)

// ErrNotLent is what who wants a scan of this node gets, when it does not look for all, or none begins for one who only wanted to join.
var ErrNotLent = errors.New("this node lends no scan of that hotfolder")

var (
	errLeftBehind = errors.New("what the scan found was taken too slowly")
	errNoScan     = errors.New("the hotfolder ended before the scan did")
	errHalfScan   = errors.New("the scan could not look at all")
)

// Left is what a scan left alone, of all nodes.
type Left struct {
	Ignored, Refused int
	Took             time.Duration // from its begin to its end
}

// Lend has another node take part in the next whole scan of a hotfolder: take gets each thing that it wants, by its key below the hotfolder,
// and nil now and then as a sign of life; it is called by one goroutine, and is as fast as the scan or left behind. Only when it returns no error, all
// was seen that was there when Lend was called, and take got all of it that was wanted. Who joins takes part when a scan is just about to begin,
// and else lets one begin. [ErrNotLent].
func (r *Room) Lend(ctx context.Context, hotfolder string, join bool, wants func(asset.Key) bool, take func(*storage.Object) error) (Left, error) {
	f := r.named(hotfolder)
	if f == nil || !f.lends() {
		return Left{}, ErrNotLent
	}
	l := f.loans.add(ctx, join, wants)
	if l == nil {
		return Left{}, ErrNotLent
	}
	defer l.leave(nil)
	if !join {
		f.askScan()
	}
	return l.serve(f, take)
}

// shared reports whether whole scans of the hotfolder are one node's work for all.
func (f *folder) shared() bool {
	p := f.store.Properties()
	return p.Remote && !p.Flat
}

func (f *folder) lends() bool { return f.shared() && f.looksForAll() }

// alive reports whether the scan, if there is one, goes on.
func (f *folder) alive() bool {
	p := f.scanning.Load()
	return p == nil || p.idle() < stillFor
}

// loan is another node's part in a scan.
type loan struct {
	ctx   context.Context //nolint:containedctx // lives as long as one call of Lend
	leave context.CancelCauseFunc
	wants func(asset.Key) bool
	found chan storage.Object // closed at the end; then the fields below are as they stay
	left  Left
	err   error // why it is not whole
}

// serve hands over what is found.
func (l *loan) serve(f *folder, take func(*storage.Object) error) (Left, error) {
	beat := time.NewTicker(loanBeat)
	defer beat.Stop()
	for l.ctx.Err() == nil {
		var err error
		select {
		case <-l.ctx.Done():
		case o, more := <-l.found:
			if !more {
				return l.left, l.err
			}
			err = take(&o)
		case <-beat.C:
			if f.alive() {
				err = take(nil)
			}
		}
		if err != nil {
			return Left{}, err
		}
	}
	return Left{}, context.Cause(l.ctx)
}

// give hands one thing over, by the scan. It waits a while for one who is slow, once.
func (l *loan) give(key asset.Key, o storage.Object) {
	if l.err != nil || !l.wants(key) {
		return
	}
	o.Key = key
	select {
	case l.found <- o:
		return
	default:
	}
	late := time.NewTimer(loanSlow)
	defer late.Stop()
	select {
	case l.found <- o:
	case <-l.ctx.Done():
		l.err = context.Cause(l.ctx)
	case <-late.C:
		l.err = errLeftBehind
		l.leave(l.err)
	}
}

func (l *loan) end(left Left, err error) {
	if l.err == nil {
		l.err = err
	}
	l.left = left
	close(l.found)
}

// loans are those who take part in the scans of a hotfolder.
type loans struct {
	mu        sync.Mutex
	gathering bool
	ended     bool
	next      []*loan // in the next scan
}

// add is for the next scan. It returns nil when there will be none for this one.
func (a *loans) add(ctx context.Context, join bool, wants func(asset.Key) bool) *loan {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ended || join && !a.gathering {
		return nil
	}
	l := &loan{wants: wants, found: make(chan storage.Object, loanAhead)}
	l.ctx, l.leave = context.WithCancelCause(ctx)
	a.next = append(a.next, l)
	return l
}

func (a *loans) gather(on bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.gathering = on
}

// begin are those who take part in the scan that begins now.
func (a *loans) begin() []*loan {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.next
	a.next, a.gathering = nil, false
	return now
}

// refuse lets nobody wait for a scan that this node does not make.
func (a *loans) refuse(why error) {
	for _, l := range a.begin() {
		l.end(Left{}, why)
	}
}

// end is for a hotfolder that has no scan any more.
func (a *loans) end() {
	a.mu.Lock()
	a.ended = true
	a.mu.Unlock()
	a.refuse(errNoScan)
}

// lend tells others of a thing that was found, as far as it is theirs.
func (s *scan) lend(key asset.Key, o storage.Object) {
	for _, l := range s.loans {
		l.give(key, o)
	}
}

// endLoans tells others that this was all, if it was.
func (s *scan) endLoans(whole bool) {
	var err error
	if !whole {
		err = errHalfScan
	}
	for _, l := range s.loans {
		l.end(Left{Ignored: s.ignored, Refused: s.refused, Took: s.took}, err)
	}
}

// gather brings those together whom one scan will do. Who looks for all says that a scan is about to begin, and waits for the others; those
// wait a little for what else asks them for one, as a command does that asks all.
func (f *folder) gather(ctx context.Context, how howMuch) {
	switch {
	case f.borrows():
		sleep(ctx, gatherTime/2)
	case how == everything && f.lends():
		f.loans.gather(true)
		if f.r.d.Begins(f.rule.Hotfolder) {
			sleep(ctx, gatherTime)
		}
	}
}
