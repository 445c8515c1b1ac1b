package cache_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"hotfolderd/asset"
	"hotfolderd/cache"
)

// origin is a store of numbers.
type origin struct {
	mu    sync.Mutex
	names map[asset.Key]int
	reads atomic.Int64
}

func (o *origin) set(name asset.Key, n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.names == nil {
		o.names = map[asset.Key]int{}
	}
	o.names[name] = n
}

func (o *origin) read(name asset.Key) (int, error) {
	o.reads.Add(1)
	o.mu.Lock()
	defer o.mu.Unlock()
	n, ok := o.names[name]
	if !ok {
		return 0, fs.ErrNotExist
	}
	return n, nil
}

// numbers is a view of an origin.
type numbers struct {
	*cache.Names[int]
	from *origin
}

func (n numbers) of(t testing.TB, name asset.Key) int {
	t.Helper()
	v, err := n.Load(t.Context(), name, func(context.Context) (int, error) { return n.from.read(name) })
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return v
}

func newCache(t testing.TB, o cache.Options) *cache.Cache {
	t.Helper()
	c, err := cache.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func newNumbers(t testing.TB, o cache.Options) (*cache.Cache, numbers) {
	t.Helper()
	c := newCache(t, o)
	return c, numbers{cache.NewNames(c, cache.Records, func(int) int { return 8 }), &origin{}}
}

const some = 1 << 20 // bytes

func TestNames_areKeptUntilForgotten(t *testing.T) {
	c, n := newNumbers(t, cache.Options{Bytes: some})
	n.from.set("a", 1)
	for what, forget := range map[string]func(){
		"one name": func() { c.Forget(asset.Key("x").Mark(), asset.Key("a").Mark()) },
		"all":      c.ForgetAll,
	} {
		forget()
		was := n.of(t, "a")
		n.from.set("a", was+1)
		if got := n.of(t, "a"); got != was {
			t.Errorf("%s: want %d from memory, got %d", what, was, got)
		}
		if got, ok := n.Peek("a"); !ok || got != was {
			t.Errorf("%s: want a look to see %d, got %d, %v", what, was, got, ok)
		}
		forget()
		if got, ok := n.Peek("a"); ok {
			t.Errorf("%s: want nothing there, got %d", what, got)
		}
		if got := n.of(t, "a"); got != was+1 {
			t.Errorf("%s: want %d, got %d", what, was+1, got)
		}
	}
}

func TestNames_thatSomethingIsAbsentIsNeverKept(t *testing.T) {
	_, n := newNumbers(t, cache.Options{Bytes: some})
	if got := n.of(t, "a"); got != 0 {
		t.Fatalf("want nothing, got %d", got)
	}
	n.from.set("a", 1)
	if got := n.of(t, "a"); got != 1 {
		t.Errorf("want 1 without being told, got %d", got)
	}
}

// A slow reader has read the old value when the name changes and is forgotten. It must not put it back, and whoever comes after that
// must not wait for it.
func TestNames_aReadFromBeforeAChangeIsNeitherKeptNorJoined(t *testing.T) {
	for what, forget := range map[string]func(*cache.Cache){
		"one name": func(c *cache.Cache) { c.Forget(asset.Key("a").Mark()) },
		"all":      (*cache.Cache).ForgetAll,
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, n := newNumbers(t, cache.Options{Bytes: some})
				n.from.set("a", 1)
				goOn, slow := make(chan struct{}), make(chan int)
				go func() {
					v, _ := n.Load(t.Context(), "a", func(context.Context) (int, error) {
						v, err := n.from.read("a")
						<-goOn
						return v, err
					})
					slow <- v
				}()
				synctest.Wait()
				n.from.set("a", 2)
				forget(c)
				if got := n.of(t, "a"); got != 2 {
					t.Errorf("want 2 while the old read is under way, got %d", got)
				}
				c.Forget(asset.Key("a").Mark()) // so that only the slow one could have filled
				close(goOn)
				if got := <-slow; got != 1 {
					t.Fatalf("want the slow reader to have read 1, got %d", got)
				}
				if got := n.of(t, "a"); got != 2 {
					t.Errorf("want 2, got %d: the slow reader put the old value back", got)
				}
				synctest.Wait()
			})
		})
	}
}

// Nobody is told of a name's first version. Whoever reads after it was written must not be answered by a read that was under way before.
func TestNames_aReadThatFoundNothingIsNoAnswerToWhoCameLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, n := newNumbers(t, cache.Options{Bytes: some})
		goOn := make(chan struct{})
		go func() {
			_, _ = n.Load(t.Context(), "a", func(context.Context) (int, error) {
				v, err := n.from.read("a")
				<-goOn
				return v, err
			})
		}()
		synctest.Wait()
		n.from.set("a", 1)
		later := make(chan int, 50)
		for range cap(later) {
			go func() { later <- n.of(t, "a") }()
		}
		synctest.Wait()
		close(goOn)
		for range cap(later) {
			if got := <-later; got != 1 {
				t.Fatalf("want 1, which was there before the question, got %d", got)
			}
		}
	})
}

func TestNames_readersOfTheSameShareOneRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, n := newNumbers(t, cache.Options{Bytes: some})
		n.from.set("a", 1)
		goOn := make(chan struct{})
		var right atomic.Int64
		for range 50 {
			go func() {
				v, err := n.Load(t.Context(), "a", func(context.Context) (int, error) { <-goOn; return n.from.read("a") })
				if err == nil && v == 1 {
					right.Add(1)
				}
			}()
		}
		synctest.Wait()
		close(goOn)
		synctest.Wait()
		if right.Load() != 50 || n.from.reads.Load() != 1 {
			t.Errorf("want 50 answers by one read, got %d by %d", right.Load(), n.from.reads.Load())
		}
	})
}

// The one who reads gives up, or dies of it: the others must not suffer for that.
func TestNames_aReaderThatGivesUpLeavesTheReadToTheNext(t *testing.T) {
	for what, end := range map[string]func(ctx context.Context) (int, error){
		"gone":  func(ctx context.Context) (int, error) { return 0, context.Cause(ctx) },
		"panic": func(context.Context) (int, error) { panic("a fault") },
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, n := newNumbers(t, cache.Options{Bytes: some})
				n.from.set("a", 1)
				ctx, cancel := context.WithCancel(t.Context())
				go func() {
					defer func() { _ = recover() }()
					_, _ = n.Load(ctx, "a", func(ctx context.Context) (int, error) { <-ctx.Done(); return end(ctx) })
				}()
				synctest.Wait()
				next := make(chan int)
				go func() { next <- n.of(t, "a") }()
				synctest.Wait()
				cancel()
				if got := <-next; got != 1 {
					t.Errorf("want 1, got %d", got)
				}
			})
		})
	}
}

func TestNames_whoWaitsForAReadMayGiveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, n := newNumbers(t, cache.Options{Bytes: some})
		goOn := make(chan struct{})
		go func() {
			_, _ = n.Load(t.Context(), "a", func(context.Context) (int, error) { <-goOn; return 1, nil })
		}()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := n.Load(ctx, "a", func(context.Context) (int, error) { return 2, nil }); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("want it to end with its context, got %v", err)
		}
		close(goOn)
	})
}

func TestNames_anotherNameOfTheSameMarkIsNotAnswered(t *testing.T) {
	a, b := asset.Key("8yn0iYCKYHlIj4-BwPqk"), asset.Key("GReLUrM4wMqfg9yzV3KQ")
	if a.Mark() != b.Mark() {
		t.Fatalf("these names have not one mark any more: %x, %x", a.Mark(), b.Mark())
	}
	_, n := newNumbers(t, cache.Options{Bytes: some})
	n.from.set(a, 1)
	n.from.set(b, 2)
	for range 2 {
		if x, y := n.of(t, a), n.of(t, b); x != 1 || y != 2 {
			t.Errorf("want 1 and 2, got %d and %d", x, y)
		}
	}
}

func TestNames_arePassedByWhileNobodyTells(t *testing.T) {
	var deaf atomic.Bool
	_, n := newNumbers(t, cache.Options{Bytes: some, Fresh: func() bool { return !deaf.Load() }})
	n.from.set("a", 1)
	n.of(t, "a")
	deaf.Store(true)
	n.from.set("a", 2)
	if got := n.of(t, "a"); got != 2 {
		t.Errorf("want the origin read, got %d", got)
	}
	if _, ok := n.Peek("a"); ok {
		t.Error("want nothing seen")
	}
	n.from.set("b", 1)
	n.of(t, "b")
	deaf.Store(false)
	n.from.set("b", 2)
	if got := n.of(t, "b"); got != 2 {
		t.Errorf("want nothing kept of that time, got %d", got)
	}
}

func TestNames_withoutMemoryAreReadEachTime(t *testing.T) {
	c, n := newNumbers(t, cache.Options{})
	for i := 1; i < 3; i++ {
		n.from.set("a", i)
		if got := n.of(t, "a"); got != i {
			t.Errorf("want %d, got %d", i, got)
		}
	}
	c.Forget(1)
	c.ForgetAll()
}

// What nobody tells is found out after a while.
func TestNames_growOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, n := newNumbers(t, cache.Options{Bytes: some})
		n.from.set("a", 1)
		n.of(t, "a")
		n.from.set("a", 2)
		time.Sleep(cache.MaxAge - time.Millisecond)
		if got := n.of(t, "a"); got != 1 {
			t.Errorf("want the value from memory, got %d", got)
		}
		time.Sleep(time.Millisecond)
		if got := n.of(t, "a"); got != 2 {
			t.Errorf("want the origin read again, got %d", got)
		}
		synctest.Wait()
	})
}

func TestNames_ofTwoKindsAreForgottenTogether(t *testing.T) {
	c, n := newNumbers(t, cache.Options{Bytes: some})
	files := numbers{cache.NewNames(c, cache.Files, func(int) int { return 8 }), &origin{}}
	n.from.set("a", 1)
	files.from.set("a", 10)
	if x, y := n.of(t, "a"), files.of(t, "a"); x != 1 || y != 10 {
		t.Errorf("want each kind its own, got %d and %d", x, y)
	}
	n.from.set("a", 2)
	files.from.set("a", 20)
	c.Forget(asset.Key("a").Mark())
	if x, y := n.of(t, "a"), files.of(t, "a"); x != 2 || y != 20 {
		t.Errorf("want both read again, got %d and %d", x, y)
	}
}

// Writers change and then forget, readers on three caches read: what a write had brought before a read began, or something newer, is
// what it gives. The reads are slow at random, so that fills and forgetting overlap.
func TestNames_areNeverOlderThanWhatWasForgotten(t *testing.T) {
	const writes = 3000
	from := &origin{}
	var caches []*cache.Cache
	names := []asset.Key{"a", "b", "c"}
	var newest [3]atomic.Int64
	var writers, readers sync.WaitGroup
	stop := make(chan struct{})
	for range 3 {
		c := newCache(t, cache.Options{Bytes: some})
		caches = append(caches, c)
		n := numbers{cache.NewNames(c, cache.Records, func(int) int { return 8 }), from}
		for range 2 {
			readers.Go(func() {
				for i := 0; ; i++ {
					select {
					case <-stop:
						return
					default:
					}
					at := i % len(names)
					least := newest[at].Load()
					if got := int64(n.of(t, names[at])); got < least {
						t.Errorf("want %d or newer of %s, got %d", least, names[at], got)
						return
					}
				}
			})
		}
	}
	unseen := func() bool { return caches[0].Status().Kinds[cache.Records].Hits == 0 }
	for at, name := range names {
		writers.Go(func() {
			for i := 1; i <= writes || unseen() && i <= 100*writes; i++ {
				from.set(name, i)
				for _, c := range caches {
					if i%500 == 0 {
						c.ForgetAll()
					}
					c.Forget(name.Mark())
				}
				newest[at].Store(int64(i))
			}
		})
	}
	writers.Wait()
	close(stop)
	readers.Wait()
	if unseen() {
		t.Error("nothing came from memory: this test shows nothing")
	}
}

func TestCache_memoryIsBoundedAndCounted(t *testing.T) {
	const bound = 40_000
	c, n := newNumbers(t, cache.Options{Bytes: bound})
	for i := range 2000 {
		name := asset.Key(fmt.Sprint("n", i))
		n.from.set(name, 1)
		n.of(t, name)
		n.of(t, name)
	}
	var got cache.Figure
	for begin := time.Now(); time.Since(begin) < 30*time.Second; time.Sleep(time.Millisecond) { // what is too much goes a little later
		if got = c.Status().Kinds[cache.Records]; got.Bytes <= bound {
			break
		}
	}
	if got.Hits == 0 || got.Misses < 2000 || got.Hits+got.Misses != 4000 || got.Joined != 0 {
		t.Errorf("want 4000 questions, half of them read, got %+v", got)
	}
	if got.Bytes <= 0 || got.Bytes > bound || got.Evictions == 0 || uint64(got.Entries)+got.Evictions != got.Misses {
		t.Errorf("want at most %d bytes and the rest evicted, got %+v", bound, got)
	}
	c.ForgetAll()
	if got := c.Status(); got.Bytes != 0 || got.Kinds[cache.Records].Entries != 0 {
		t.Errorf("want it empty, got %+v", got)
	}
}
