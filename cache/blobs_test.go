package cache_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"runtime"
	"sync"
	"testing"

	"hotfolderd/asset"
	"hotfolderd/cache"
	"hotfolderd/storage"
	"hotfolderd/storage/storagetest"
)

// shop is a store with the bytes of some hashes.
type shop struct{ *storagetest.Fault }

func newShop(t testing.TB) shop { return shop{storagetest.NewFault(storagetest.NewMem())} }

func (s shop) put(t testing.TB, h asset.Hash, body []byte) {
	t.Helper()
	if _, err := s.Put(t.Context(), h.Shard(), bytes.NewReader(body), storage.PutOptions{}); err != nil {
		t.Fatal(err)
	}
}

func (s shop) open(h asset.Hash) func(context.Context) (storage.Reader, error) {
	return func(ctx context.Context) (storage.Reader, error) { return s.Open(ctx, h.Shard(), "") }
}

func read(t testing.TB, b *cache.Blobs, s shop, h asset.Hash) []byte {
	t.Helper()
	rd, err := b.Open(t.Context(), h, 0, s.open(h))
	if err != nil {
		t.Fatal(err)
	}
	defer rd.Close()
	got, err := io.ReadAll(rd)
	if err != nil {
		t.Fatal(err)
	}
	if rd.Object().Size != int64(len(got)) {
		t.Errorf("want the object of %d bytes, got %+v", len(got), rd.Object())
	}
	return got
}

func TestBlobs_smallOnesAreReadOnce(t *testing.T) {
	b, s := cache.NewBlobs(newCache(t, cache.Options{Bytes: some, Entry: 1000}), cache.Assets), newShop(t)
	small, large := asset.Hash{1}, asset.Hash{2}
	s.put(t, small, bytes.Repeat([]byte("s"), 600))
	s.put(t, large, bytes.Repeat([]byte("l"), 1001))
	for _, c := range []struct {
		h           asset.Hash
		size, opens int
	}{{small, 600, 1}, {large, 1001, 3}} {
		s.Reset()
		for range 3 {
			if got := read(t, b, s, c.h); len(got) != c.size {
				t.Errorf("want %d bytes, got %d", c.size, len(got))
			}
		}
		if n := s.Count(storagetest.OpOpen); n != c.opens {
			t.Errorf("%d bytes: want them opened %d times, got %d", c.size, c.opens, n)
		}
		if data, _, ok := b.Peek(c.h, 0); ok != (c.opens == 1) || ok && len(data) != c.size {
			t.Errorf("%d bytes: a look sees %d, %v", c.size, len(data), ok)
		}
	}
}

func TestBlobs_readersAreIndependent(t *testing.T) {
	b, s := cache.NewBlobs(newCache(t, cache.Options{Bytes: some}), cache.Assets), newShop(t)
	h := asset.Hash{1}
	s.put(t, h, []byte("0123456789"))
	read(t, b, s, h)
	one, _ := b.Open(t.Context(), h, 0, s.open(h))
	two, _ := b.Open(t.Context(), h, 0, s.open(h))
	part := make([]byte, 4)
	_, _ = io.ReadFull(one, part)
	if got, _ := io.ReadAll(two); string(got) != "0123456789" {
		t.Errorf("want all, got %q", got)
	}
	if _, err := one.ReadAt(part, 6); err != nil || string(part) != "6789" || one.Check(t.Context()) != nil || one.Close() != nil {
		t.Errorf("want the end, got %q, %v", part, err)
	}
}

func TestBlobs_whatIsMissingOrCutIsNotKept(t *testing.T) {
	b, s := cache.NewBlobs(newCache(t, cache.Options{Bytes: some}), cache.Thumbnails), newShop(t)
	h := asset.Hash{1}
	if _, err := b.Open(t.Context(), h, 0, s.open(h)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("want it missing, got %v", err)
	}
	s.put(t, h, []byte("0123456789"))
	s.Inject(storagetest.Rule{Op: storagetest.OpRead, Times: 1, Err: io.EOF})
	if _, err := b.Open(t.Context(), h, 0, s.open(h)); err == nil {
		t.Error("want half a read refused")
	}
	if got := read(t, b, s, h); string(got) != "0123456789" {
		t.Errorf("want all of it, got %q", got)
	}
}

// fresh is a reader of new bytes each time.
type fresh struct{ *bytes.Reader }

func (f fresh) Close() error                { return nil }
func (f fresh) Check(context.Context) error { return nil }
func (f fresh) Object() storage.Object      { return storage.Object{Size: f.Size()} }

// Ten times as many bytes as there is room for, by many readers: the memory stays flat.
func TestBlobs_memoryStaysFlat(t *testing.T) {
	const bound, size, blobs = 8 << 20, 32 << 10, 2560
	c := newCache(t, cache.Options{Bytes: bound})
	b := cache.NewBlobs(c, cache.Thumbnails)
	before := heap()
	var readers sync.WaitGroup
	for n := range 8 {
		readers.Go(func() {
			for i := range blobs {
				at := (i + n*blobs/8) % blobs
				_, err := b.Open(t.Context(), asset.Hash{byte(at), byte(at >> 8), 1}, 0, func(context.Context) (storage.Reader, error) {
					return fresh{bytes.NewReader(make([]byte, size-at))}, nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	readers.Wait()
	grown := heap() - before
	if most := int64(bound + bound/4); grown > most || c.Status().Bytes < bound/2 {
		t.Errorf("want %d bytes kept at most, about, the heap has grown by %d; %+v", bound, grown, c.Status())
	}
	runtime.KeepAlive(b)
}

func heap() int64 {
	var m runtime.MemStats
	for range 3 { // what was evicted goes a little later
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func BenchmarkPeek(b *testing.B) {
	c := newCache(b, cache.Options{Bytes: some})
	blobs, s := cache.NewBlobs(c, cache.Thumbnails), newShop(b)
	names := cache.NewNames(c, cache.Records, func(int) int { return 8 })
	h := asset.Hash{1}
	s.put(b, h, []byte("0123456789"))
	read(b, blobs, s, h)
	if _, err := names.Load(b.Context(), "a/b.jpg", func(context.Context) (int, error) { return 1, nil }); err != nil {
		b.Fatal(err)
	}
	b.Run("name", func(b *testing.B) {
		for b.Loop() {
			if _, ok := names.Peek("a/b.jpg"); !ok {
				b.Fatal("want it there")
			}
		}
	})
	b.Run("blob", func(b *testing.B) {
		for b.Loop() {
			if _, _, ok := blobs.Peek(h, 0); !ok {
				b.Fatal("want it there")
			}
		}
	})
}
