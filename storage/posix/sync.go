package posix

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"hotfolderd/asset"
)

const (
	// groupFrom is how many fsyncs make one syncfs cheaper (measured on ext4: 64 writers of 100 KB files finish 1.5 to 2.3
	// times sooner, while up to three are quicker by themselves).
	groupFrom = 4
	// slowGroup is how long a syncfs may take before the store goes back to single fsyncs for a while: somebody else is
	// writing a lot to this file system, and syncfs would wait for that too.
	slowGroup  = 250 * time.Millisecond
	slowFor    = 5 * time.Second
	maxDurable = 200_000
)

// syncer makes files and folders durable. Requests that wait at the same time are served together by the first of them, and a folder that
// several of them wait for is synced once.
type syncer struct {
	root  int
	group bool                      // syncfs may be used
	dir   func(key asset.Key) error // makes the names in a folder durable
	isUp  func() error              // vouches for what dir said before it

	mu       sync.Mutex
	waiting  []*syncRequest
	busy     bool
	slowTill time.Time
	durable  map[asset.Key]struct{} // folders that are durable up to the root
}

// syncRequest is one caller's wish. lead is closed when the caller must serve the next batch itself.
type syncRequest struct {
	file func() error // nil: none
	dirs []asset.Key
	done chan error
	lead chan struct{}
}

func newSyncer(root int, group bool, dir func(asset.Key) error, isUp func() error) *syncer {
	return &syncer{root: root, group: group, dir: dir, isUp: isUp, durable: map[asset.Key]struct{}{}}
}

// wait returns when the request was served. The first caller of a batch serves it; then it hands the lead on.
func (y *syncer) wait(ctx context.Context, file func() error, dirs []asset.Key) error {
	r := &syncRequest{file: file, dirs: dirs, done: make(chan error, 1), lead: make(chan struct{})}
	y.mu.Lock()
	y.waiting = append(y.waiting, r)
	lead := !y.busy
	y.busy = true
	y.mu.Unlock()
	if !lead {
		select {
		case err := <-r.done:
			return err
		case <-r.lead:
		case <-ctx.Done():
			return y.abandon(ctx, r)
		}
	}
	y.serve()
	return <-r.done
}

// abandon takes a request back that is in no batch yet. One that is has been begun: its file must stay open until it is done,
// and its error is told only once.
func (y *syncer) abandon(ctx context.Context, r *syncRequest) error {
	y.mu.Lock()
	i := slices.Index(y.waiting, r)
	if i < 0 {
		y.mu.Unlock()
		return <-r.done
	}
	defer y.mu.Unlock()
	y.waiting = slices.Delete(y.waiting, i, i+1)
	select {
	case <-r.lead:
		y.handOn()
	default:
	}
	return context.Cause(ctx)
}

// handOn gives the lead to a request of the next batch. mu is held.
func (y *syncer) handOn() {
	if len(y.waiting) > 0 {
		close(y.waiting[0].lead)
	} else {
		y.busy = false
	}
}

// serve makes one batch durable and hands the lead to a request of the next.
func (y *syncer) serve() {
	y.mu.Lock()
	batch := y.waiting
	y.waiting = nil
	group := y.group && costOf(batch) >= groupFrom && time.Now().After(y.slowTill)
	y.mu.Unlock()
	if !group || !y.syncAll(batch) {
		y.syncEach(batch)
	}
	y.mu.Lock()
	y.handOn()
	y.mu.Unlock()
}

// costOf is how many fsyncs a batch takes.
func costOf(batch []*syncRequest) (sum int) {
	for _, r := range batch {
		if r.file != nil {
			sum++
		}
	}
	return sum + len(dirsIn(batch))
}

// dirsIn are the folders of a batch, each once.
func dirsIn(batch []*syncRequest) map[asset.Key]error {
	dirs := map[asset.Key]error{}
	for _, r := range batch {
		for _, dir := range r.dirs {
			dirs[dir] = nil
		}
	}
	return dirs
}

// syncAll serves a batch by one syncfs. It reports false when that failed: an fsync each then tells whose file it was.
func (y *syncer) syncAll(batch []*syncRequest) bool {
	begin := time.Now()
	if err := unix.Syncfs(y.root); err != nil {
		return false
	}
	if time.Since(begin) > slowGroup {
		y.mu.Lock()
		y.slowTill = time.Now().Add(slowFor)
		y.mu.Unlock()
	}
	for _, r := range batch {
		r.done <- nil
	}
	return true
}

// syncEach serves a batch by an fsync for each file and folder. They wait for one commit of the file system's journal together, not for
// one after the other.
func (y *syncer) syncEach(batch []*syncRequest) {
	dirs := dirsIn(batch)
	files := make([]error, len(batch))
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, dir := range slices.Collect(maps.Keys(dirs)) {
		wg.Go(func() {
			err := y.dir(dir)
			mu.Lock()
			defer mu.Unlock()
			dirs[dir] = err
		})
	}
	for i, r := range batch[1:] {
		if r.file != nil {
			wg.Go(func() { files[i+1] = r.file() })
		}
	}
	if r := batch[0]; r.file != nil {
		files[0] = r.file()
	}
	wg.Wait()
	var up error
	if len(dirs) > 0 {
		up = y.isUp()
	}
	for i, r := range batch {
		r.done <- r.result(files[i], dirs, up)
	}
}

// result is what a request is told of what was done for its batch.
func (r *syncRequest) result(file error, dirs map[asset.Key]error, up error) error {
	if len(r.dirs) == 0 {
		return file
	}
	err := errors.Join(file, up)
	for _, dir := range r.dirs {
		err = errors.Join(err, dirs[dir])
	}
	return err
}

// file makes the bytes of f durable. After an error the bytes count as lost: the kernel reports it once, and a second fsync
// that succeeds means nothing.
func (y *syncer) file(ctx context.Context, f *file) error { return y.wait(ctx, f.Sync, nil) }

// Sync implements storage.Store: the folders of the keys are made durable, and above them every folder that this process
// has not yet seen durable.
func (s *Store) Sync(ctx context.Context, keys ...asset.Key) error {
	if len(keys) == 0 {
		return nil
	}
	return fail("sync", keys[0], s.sync.names(ctx, nil, keys...))
}

// names makes the names of keys durable, and with them a file.
func (y *syncer) names(ctx context.Context, file func() error, keys ...asset.Key) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	dirs := y.dirsOf(keys)
	err := y.wait(ctx, file, dirs)
	if err == nil {
		y.remember(dirs)
	}
	return err
}

// isUp tells whether the file system was still at work. XFS that has shut itself down goes on saying of folders that they are
// synced, but refuses to open one: an open that succeeds afterwards vouches for the syncs before it.
func (s *Store) isUp() error {
	fd, err := s.openDir(asset.Root)
	if err != nil {
		return err
	}
	return unix.Close(fd)
}

// syncDir makes the names in one folder durable. A folder that is gone has none.
func (s *Store) syncDir(dir asset.Key) error {
	fd, err := s.openDir(dir)
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) {
		return nil
	}
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Fsync(fd)
}

// dirsOf lists the folders to be made durable for keys: each key's own, and those above it that are not known durable.
func (y *syncer) dirsOf(keys []asset.Key) []asset.Key {
	y.mu.Lock()
	defer y.mu.Unlock()
	var dirs []asset.Key
	listed := map[asset.Key]bool{}
	add := func(dir asset.Key) {
		if !listed[dir] {
			listed[dir] = true
			dirs = append(dirs, dir)
		}
	}
	for _, key := range keys {
		dir := key.Dir()
		add(dir)
		for dir != asset.Root {
			if _, ok := y.durable[dir]; ok {
				break
			}
			dir = dir.Dir()
			add(dir)
		}
	}
	return dirs
}

func (y *syncer) remember(dirs []asset.Key) {
	y.mu.Lock()
	defer y.mu.Unlock()
	if len(y.durable) > maxDurable {
		clear(y.durable)
	}
	for _, d := range dirs {
		y.durable[d] = struct{}{}
	}
}
