package cache_test

import (
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hotfolderd/asset"
	"hotfolderd/cache"
	"hotfolderd/storage"
	"hotfolderd/storage/storagetest"
	"hotfolderd/workarea"
)

// slow is a store whose answers come late, by a little and at random: what they say was true when it was read.
type slow struct{ storage.Store }

func (s slow) Open(ctx context.Context, key asset.Key, v asset.Version) (storage.Reader, error) {
	rd, err := s.Store.Open(ctx, key, v)
	time.Sleep(time.Duration(rand.IntN(500)) * time.Microsecond)
	return rd, err
}

func (s slow) Stat(ctx context.Context, key asset.Key) (storage.Object, error) {
	o, err := s.Store.Stat(ctx, key)
	time.Sleep(time.Duration(rand.IntN(200)) * time.Microsecond)
	return o, err
}

// node is a work area with a memory in front of it, as a node joins them.
type node struct {
	area    *workarea.Area
	memory  *cache.Cache
	records *cache.Names[int]
}

func (n *node) number(ctx context.Context, name asset.Key) (int, error) {
	v, err := n.records.Load(ctx, name, func(ctx context.Context) (int, error) {
		_, number, err := n.area.Current(ctx, name)
		return number, err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	return v, err
}

// everyone tells all nodes at once, as a cluster does.
type everyone struct{ nodes []*node }

func (e *everyone) Begin(_ context.Context, name asset.Key) (func(context.Context) error, error) {
	return func(context.Context) error {
		for _, n := range e.nodes {
			n.memory.Forget(name.Mark())
		}
		return nil
	}, nil
}

// Writers and readers on three nodes over a slow store: what a write returned, or something newer, is what every node answers from
// then on. Now and then somebody lets a node forget everything.
func TestNames_ofAWorkAreaAreNeverOlderThanAWriteThatReturned(t *testing.T) {
	mem, all := storagetest.NewMem(), &everyone{}
	for range 3 {
		c := newCache(t, cache.Options{Bytes: some})
		a, err := workarea.Open(t.Context(), slow{mem}, workarea.Options{Changes: all})
		if err != nil {
			t.Fatal(err)
		}
		all.nodes = append(all.nodes, &node{a, c, cache.NewNames(c, cache.Records, func(int) int { return 8 })})
	}
	names := []asset.Key{"a", "b", "c"}
	var newest [3]atomic.Int64
	var writers, readers sync.WaitGroup
	stop := make(chan struct{})
	for i, n := range all.nodes {
		writers.Go(func() {
			for w := range 100 {
				at := (i + w) % len(names)
				body := strings.NewReader(strconv.Itoa(1000*i + w))
				_, out, err := n.area.Put(t.Context(), names[at], body, asset.DoorHTTP)
				if err != nil {
					t.Error(err)
					return
				}
				raise(&newest[at], int64(out.Number))
				if w%25 == 0 {
					n.memory.ForgetAll()
				}
			}
		})
		for range 2 {
			readers.Go(func() {
				for r := 0; ; r++ {
					select {
					case <-stop:
						return
					default:
					}
					at := r % len(names)
					least := newest[at].Load()
					if got, err := n.number(t.Context(), names[at]); err != nil || int64(got) < least {
						t.Errorf("node %d: want version %d or newer of %s, got %d, %v", i, least, names[at], got, err)
						return
					}
				}
			})
		}
	}
	writers.Wait()
	close(stop)
	readers.Wait()
	for at, name := range names {
		for i, n := range all.nodes {
			if got, err := n.number(t.Context(), name); err != nil || int64(got) != newest[at].Load() {
				t.Errorf("node %d: want version %d of %s in the end, got %d, %v", i, newest[at].Load(), name, got, err)
			}
		}
	}
	if s := all.nodes[0].memory.Status().Kinds[cache.Records]; s.Hits == 0 || s.Misses == 0 {
		t.Errorf("want some answers from memory and some not, got %+v", s)
	}
}

func TestNames_ofAWorkAreaAreSeenAtOnceByWhoWroteThem(t *testing.T) {
	all := &everyone{}
	c := newCache(t, cache.Options{Bytes: some})
	fault := storagetest.NewFault(storagetest.NewMem())
	a, err := workarea.Open(t.Context(), fault, workarea.Options{Changes: all})
	if err != nil {
		t.Fatal(err)
	}
	n := &node{a, c, cache.NewNames(c, cache.Records, func(int) int { return 8 })}
	all.nodes = append(all.nodes, n)
	want := func(number int) {
		t.Helper()
		if got, err := n.number(t.Context(), "a"); err != nil || got != number {
			t.Errorf("want version %d, got %d, %v", number, got, err)
		}
	}
	want(0)
	for i := 1; i < 4; i++ {
		if _, _, err := a.Put(t.Context(), "a", strings.NewReader(strconv.Itoa(i)), asset.DoorHTTP); err != nil {
			t.Fatal(err)
		}
		want(i)
	}
	// The write fails after it took effect.
	fault.Inject(storagetest.Rule{Op: storagetest.OpSync, Times: 1, Err: errors.New("broken")})
	if _, _, err := a.Put(t.Context(), "a", strings.NewReader("4"), asset.DoorHTTP); err == nil {
		t.Fatal("want it to fail")
	}
	want(4)
	if err := a.Remove(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	want(0)
}

func raise(to *atomic.Int64, n int64) {
	for old := to.Load(); old < n && !to.CompareAndSwap(old, n); old = to.Load() {
	}
}
