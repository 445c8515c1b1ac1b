package hotfolder

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"hotfolderd/asset"
	"hotfolderd/config"
	"hotfolderd/leases"
	"hotfolderd/storage"
	"hotfolderd/storage/storagetest"
)

// bench is a room on a store in memory, with a work area that remembers what it was asked for.
type bench struct {
	t     *testing.T
	store storage.Store
	mem   *storagetest.Mem
	room  *Room
	stop  func()

	// set before run
	stage func(ctx context.Context, data string) error // called with the bytes of each staging
	apply func(ctx context.Context, rec asset.Record) (asset.Outcome, error)
	claim func(hotfolder string, key asset.Key) leases.Lease // nil: another node's
	step  func(step, hotfolder string, key asset.Key)
	fail  func() error // asked before a drop is moved to failed/

	claims, ended atomic.Int64 // walks that were claimed and that ended

	mu      sync.Mutex
	records map[asset.DropID]asset.Record
	failed  []asset.Failure
	events  []asset.Event
}

func newBench(t *testing.T, o Options) *bench {
	b := &bench{t: t, mem: storagetest.NewMem(), records: map[asset.DropID]asset.Record{}}
	b.store = b.mem
	always := newLease()
	b.claim = func(string, asset.Key) leases.Lease { return always }
	b.room = New(Deps{
		Area: b, Render: b, Claims: b, Log: zap.NewNop(), Node: "n",
		Journal: func(e asset.Event) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.events = append(b.events, e)
		},
		Step: func(step, hotfolder string, key asset.Key) {
			if b.step != nil {
				b.step(step, hotfolder, key)
			}
		},
	}, o)
	return b
}

// run starts the room; stop ends it and waits. It is stopped with the test.
func (b *bench) run() {
	ctx, cancel := context.WithCancel(b.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := b.room.Run(ctx); err != nil {
			b.t.Error(err)
		}
	}()
	b.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case <-done:
		case <-time.After(time.Minute):
			panic("the room does not end") // by the bubble's clock
		}
		if claims, ended := b.claims.Load(), b.ended.Load(); claims != ended {
			b.t.Errorf("want each of %d claims to end, got %d", claims, ended)
		}
	})
	b.t.Cleanup(func() { b.stop() })
	synctest.Wait()
}

// pass lets time pass and what is then due be done.
func (b *bench) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (b *bench) spec(hotfolder string, change func(*config.Rule)) Spec {
	r := config.DefaultRule(hotfolder)
	if change != nil {
		change(&r)
	}
	return Spec{Rule: r, Store: b.store, Prefix: asset.Key(r.Path), Path: r.Path}
}

func (b *bench) drop(hotfolder string, keys ...asset.Key) {
	b.t.Helper()
	for _, k := range keys {
		key := asset.Key("hotfolders").Join(asset.Key(hotfolder)).Join(k)
		if _, err := b.mem.Put(b.t.Context(), key, strings.NewReader(string(k)), storage.PutOptions{}); err != nil {
			b.t.Fatal(err)
		}
		time.Sleep(time.Microsecond) // the next one is newer
	}
}

// lying are the names in a hotfolder.
func (b *bench) lying(hotfolder string) []asset.Key {
	var keys []asset.Key
	prefix := asset.Key("hotfolders").Join(asset.Key(hotfolder))
	for o, err := range b.mem.List(context.Background(), prefix, storage.ListOptions{Recursive: true}) {
		if k, ok := o.Key.Below(prefix); ok && err == nil && o.Kind == storage.Regular {
			keys = append(keys, k)
		}
	}
	return keys
}

// told are the keys of the journal's events of one result, in order.
func (b *bench) told(result asset.Result) []asset.Key {
	b.mu.Lock()
	defer b.mu.Unlock()
	var keys []asset.Key
	for _, e := range b.events {
		if e.Result == result {
			keys = append(keys, asset.Key(e.Hotfolder).Join(e.Key))
		}
	}
	return keys
}

func (b *bench) want(result asset.Result, keys ...asset.Key) {
	b.t.Helper()
	if got := b.told(result); !slices.Equal(got, keys) {
		b.t.Errorf("%s: want %v, got %v", result, keys, got)
	}
}

func (b *bench) status(hotfolder string) Status {
	for _, s := range b.room.Status() {
		if s.Hotfolder == hotfolder {
			return s
		}
	}
	b.t.Helper()
	b.t.Fatalf("want a hotfolder %s, got none", hotfolder)
	return Status{}
}

// Claim counts the walks.
func (b *bench) Claim(hotfolder string, key asset.Key) (leases.Lease, func()) {
	lease := b.claim(hotfolder, key)
	if lease == nil {
		return nil, nil
	}
	b.claims.Add(1)
	var ended atomic.Bool
	return lease, func() {
		if ended.Swap(true) {
			b.t.Error("a walk ended twice")
		}
		b.ended.Add(1)
	}
}

func (b *bench) Mine(hotfolder string, key asset.Key) bool { return b.claim(hotfolder, key) != nil }

func (b *bench) Stage(ctx context.Context, r io.Reader) (asset.Content, storage.Staged, error) {
	data, err := io.ReadAll(r)
	if err == nil && b.stage != nil {
		err = b.stage(ctx, string(data))
	}
	if err != nil {
		return asset.Content{}, nil, err
	}
	staged, err := b.mem.Stage(ctx)
	if err == nil {
		_, err = io.Copy(staged, bytes.NewReader(data))
	}
	return asset.Content{Hash: sha256.Sum256(data), Size: int64(len(data))}, staged, err
}

func (b *bench) Commit(_ context.Context, rec asset.Record, _ storage.Staged) (asset.Record, bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if standing, ok := b.records[rec.Drop]; ok {
		return standing, true, nil
	}
	b.records[rec.Drop] = rec
	return rec, false, nil
}

func (b *bench) Apply(ctx context.Context, rec asset.Record) (asset.Outcome, error) {
	if b.apply != nil {
		return b.apply(ctx, rec)
	}
	return asset.Outcome{Name: rec.Name, Number: 1}, nil
}

func (b *bench) Record(_ context.Context, id asset.DropID) (asset.Record, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	rec, ok := b.records[id]
	if !ok {
		return rec, fs.ErrNotExist
	}
	return rec, nil
}

func (b *bench) Fail(ctx context.Context, src storage.Store, obj storage.Object, f asset.Failure) (asset.Failure, error) {
	if b.fail != nil {
		if err := b.fail(); err != nil {
			return f, err
		}
	}
	if err := src.Remove(ctx, obj.Key, obj.Version); err != nil {
		return f, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	f.ID = string(f.Drop)
	b.failed = append(b.failed, f)
	return f, nil
}

func (b *bench) Archive(ctx context.Context, src storage.Store, obj storage.Object, hotfolder string, key asset.Key) (asset.Key, error) {
	to := asset.Key("archive").Join(asset.Key(hotfolder)).Join(key)
	_, err := src.Move(ctx, obj, to, storage.PutOptions{})
	return to, err
}

func (b *bench) Render(context.Context, asset.Content, storage.Staged, config.Thumbnails) (*asset.Thumbnails, error) {
	return nil, nil
}

// lease is one that a test can end.
type lease struct {
	ctx context.Context //nolint:containedctx // a lease is a context
	end context.CancelCauseFunc
}

func newLease() *lease {
	ctx, end := context.WithCancelCause(context.Background())
	return &lease{ctx, end}
}

func (l *lease) Name() string                  { return "p" }
func (l *lease) Token() leases.Token           { return leases.Token{Epoch: 1, Index: 2} }
func (l *lease) Context() context.Context      { return l.ctx }
func (l *lease) Release(context.Context) error { l.end(leases.ErrReleased); return nil }

// gate holds walks up until it is opened or their context ends.
type gate chan struct{}

func (g gate) pass(ctx context.Context) error {
	select {
	case <-g:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

var errBroken = errors.New("broken on purpose")
