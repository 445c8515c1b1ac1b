package s3

import (
	"context"
	"io"
	"strings"
	"sync"

	"go.uber.org/zap"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// Watch implements storage.Watcher by MinIO's listen API, for what is written: that something was removed is not told. Whether hints really come is tried first, on an object of our own: there are
// versions that promise them and send none. After a connection broke and stands again, a Rescan says that hints were lost.
func (s *Store) Watch(ctx context.Context, prefix asset.Key, o storage.WatchOptions) (<-chan storage.Hint, error) {
	if err := ended(ctx, "watch", prefix); err != nil {
		return nil, err
	}
	if err := s.tells(ctx); err != nil {
		return nil, fail(ctx, "watch", prefix, err)
	}
	w := &watch{s: s, prefix: prefix, below: s.below(prefix), o: o, out: make(chan storage.Hint, s.limits.hints)}
	body, err := s.listen(ctx, w.below)
	if err != nil {
		return nil, fail(ctx, "watch", prefix, err)
	}
	go w.run(ctx, body)
	return w.out, nil
}

type watch struct {
	s      *Store
	prefix asset.Key
	below  string
	o      storage.WatchOptions
	out    chan storage.Hint
	lost   bool // hints did not fit, or a connection broke: a rescan must follow
}

// run passes hints on until ctx ends, over one connection after the other.
func (w *watch) run(ctx context.Context, body io.ReadCloser) {
	defer close(w.out)
	for n := 1; ; n++ {
		if body != nil {
			n = 1
			w.follow(ctx, body)
		}
		if ctx.Err() != nil || !rest(ctx, min(n, 10)) {
			return
		}
		var err error
		if body, err = w.s.listen(ctx, w.below); err != nil {
			w.s.log.Debug("the server does not tell of changes now", zap.Error(plain(err)))
			continue
		}
		w.lost = true
	}
}

// follow reads one connection to its end.
func (w *watch) follow(ctx context.Context, body io.ReadCloser) {
	events := make(chan string)
	var reading sync.WaitGroup
	ctx, stop := context.WithCancel(ctx)
	reading.Go(func() {
		defer close(events)
		readEvents(ctx, body, events)
	})
	defer reading.Wait()
	defer body.Close()
	defer stop()
	for {
		var rescan chan<- storage.Hint
		if w.lost {
			rescan = w.out
		}
		select {
		case <-ctx.Done():
			return
		case rescan <- storage.Hint{Key: w.prefix, Rescan: true}:
			w.lost = false
		case name, ok := <-events:
			if !ok {
				return
			}
			w.pass(name)
		}
	}
}

// pass makes a hint of a name. What the store keeps for itself, or nobody wants to hear of, is left out.
func (w *watch) pass(name string) {
	rel, ok := strings.CutPrefix(name, w.below)
	key, err := asset.ParseKey(strings.TrimSuffix(rel, "/"))
	if !ok || err != nil {
		return
	}
	key = w.prefix.Join(key)
	if _, own := key.Below(Private); own || !w.wanted(key.Dir()) {
		return
	}
	select {
	case w.out <- storage.Hint{Key: key, Created: true}:
	default:
		w.lost = true
	}
}

// wanted reports whether a folder and all between it and the prefix are watched.
func (w *watch) wanted(dir asset.Key) bool {
	for ; dir != w.prefix && dir != asset.Root; dir = dir.Dir() {
		if !w.o.Enters(dir) {
			return false
		}
	}
	return true
}
