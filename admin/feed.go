package admin

import (
	"context"
	"sync"
	"time"

	"hotfolderd/asset"
)

// DefaultFeed is how many events a [Feed] made with size 0 remembers.
const DefaultFeed = 512

// slack is how far a subscriber may fall behind, beyond what was remembered when it came, before it is cut off.
const slack = 256

// Feed is the memory of recent events: a ring for those who come back, and the way to those who listen. Beside the ring it
// keeps as many imports, failures and skips of their own, so that a flood of ignored files does not wash them away. It is
// safe for concurrent use, starts no goroutine and never waits for a reader.
type Feed struct {
	mu     sync.Mutex
	last   uint64
	all    ring[Event]
	recent ring[asset.Event]
	subs   map[chan Event]struct{}
}

// NewFeed remembers size events. Its ids begin at the time of its making in microseconds, so that a reader who comes back
// after a restart is sent what it has not seen.
func NewFeed(size int) *Feed {
	if size <= 0 {
		size = DefaultFeed
	}
	return &Feed{
		last: uint64(time.Now().UnixMicro()),
		all:  ring[Event]{size: size}, recent: ring[asset.Event]{size: size},
		subs: make(map[chan Event]struct{}),
	}
}

// Publish remembers e and sends it to everybody who listens. A reader whose channel is full is cut off: it comes back with
// the last id it saw.
func (f *Feed) Publish(e asset.Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last++
	ev := Event{ID: f.last, Event: e}
	f.all.add(ev)
	if ended(e.Result) {
		f.recent.add(e)
	}
	for ch := range f.subs {
		select {
		case ch <- ev:
		default:
			f.drop(ch)
		}
	}
}

func ended(r asset.Result) bool {
	return r == asset.Imported || r == asset.Skipped || r == asset.Failed
}

// Recent is for [Backend.Recent].
func (f *Feed) Recent(n int) []asset.Event {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := f.recent.ordered()
	out := make([]asset.Event, 0, min(n, len(all)))
	for i := len(all) - 1; i >= 0 && len(out) < n; i-- {
		out = append(out, all[i])
	}
	return out
}

// Subscribe is for [Backend.Subscribe].
func (f *Feed) Subscribe(ctx context.Context, after uint64) <-chan Event {
	f.mu.Lock()
	defer f.mu.Unlock()
	held := f.all.ordered()
	for len(held) > 0 && held[0].ID <= after && after <= f.last {
		held = held[1:]
	}
	ch := make(chan Event, len(held)+slack)
	for _, e := range held {
		ch <- e
	}
	f.subs[ch] = struct{}{}
	context.AfterFunc(ctx, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.drop(ch)
	})
	return ch
}

// drop closes a channel once. The caller holds the lock, so nobody sends to it meanwhile.
func (f *Feed) drop(ch chan Event) {
	if _, ok := f.subs[ch]; ok {
		delete(f.subs, ch)
		close(ch)
	}
}

// ring keeps the newest size values.
type ring[T any] struct {
	size, next int
	held       []T
}

func (r *ring[T]) add(v T) {
	if len(r.held) < r.size {
		r.held = append(r.held, v)
		return
	}
	r.held[r.next] = v
	r.next = (r.next + 1) % r.size
}

// ordered is a copy, oldest first.
func (r *ring[T]) ordered() []T {
	return append(append(make([]T, 0, len(r.held)), r.held[r.next:]...), r.held[:r.next]...)
}
