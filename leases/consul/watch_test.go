package consul_test

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"

	"hotfolderd/leases/consul"
	"hotfolderd/leases/consul/consultest"
)

// seen collects what a watch tells.
type seen struct {
	mu   sync.Mutex
	last map[string]string
	n    int
}

func (s *seen) tell(held map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = held
	s.n++
}

func (s *seen) is(want map[string]string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.n > 0 && maps.Equal(s.last, want)
}

func (s *seen) has(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last[name] != ""
}

func TestWatch_seesEveryHolder(t *testing.T) {
	t.Parallel()
	s := consultest.Start(t)
	a, b := startNode(t, s.Dial(t), "a", long), startNode(t, s.Dial(t), "b", long)
	ida, idb := a.keeper.Current().ID(), b.keeper.Current().ID()
	first := acquire(t, a, "p/1")
	if err := a.conn.Put(t.Context(), a.key("held by nobody"), nil); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var w seen
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.Watch(ctx, w.tell)
	}()
	consultest.Eventually(t, "what was held before", func() bool { return w.is(map[string]string{"p/1": ida}) })
	acquire(t, b, "p/hot folder/2")
	consultest.Eventually(t, "the own lease", func() bool { return w.is(map[string]string{"p/1": ida, "p/hot folder/2": idb}) })
	if err := first.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	consultest.Eventually(t, "a release", func() bool { return w.is(map[string]string{"p/hot folder/2": idb}) })
	cancel()
	<-done
}

func TestWatch_tellsThatThereIsNothing(t *testing.T) {
	t.Parallel()
	a := openNode(t, consultest.Start(t).Dial(t), "a", long)
	var w seen
	done := make(chan struct{})
	go func() {
		defer close(done)
		a.Watch(context.WithoutCancel(t.Context()), w.tell)
	}()
	consultest.Eventually(t, "an empty map", func() bool { return w.is(nil) })
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	<-done // Close ends it too
}

func TestConnWatch_goesOnWithAConsulThatLostItsData(t *testing.T) {
	t.Parallel()
	s := consultest.Start(t)
	conn := s.Dial(t)
	root := consul.Root(consultest.Namespace(t))
	ctx, cancel := context.WithCancel(t.Context())
	var n, failed atomic.Int32
	n.Store(-1)
	var wg sync.WaitGroup
	wg.Go(func() {
		conn.Watch(ctx, root, consul.Watching{
			Seen:   func(pairs api.KVPairs) { n.Store(int32(len(pairs))) },
			Failed: func(error) { failed.Add(1) },
		})
	})
	for i := range 3 {
		if err := conn.Put(t.Context(), fmt.Sprint(root, i), nil); err != nil {
			t.Fatal(err)
		}
	}
	consultest.Eventually(t, "three keys", func() bool { return n.Load() == 3 })
	s.Kill()
	consultest.Eventually(t, "a failure", func() bool { return failed.Load() > 0 })
	s.Restart(t)
	consultest.Eventually(t, "no key", func() bool { return n.Load() == 0 })
	if err := conn.Put(t.Context(), root+"new", nil); err != nil {
		t.Fatal(err)
	}
	consultest.Eventually(t, "one key", func() bool { return n.Load() == 1 })
	cancel()
	wg.Wait()
}

// TestConnWatch_takesNoOtherPairsForTheSame: while the watch is cut off Consul is rebuilt, and its new pairs get the very index
// that the old ones had.
func TestConnWatch_takesNoOtherPairsForTheSame(t *testing.T) {
	t.Parallel()
	s := consultest.Start(t)
	link, direct := consultest.NewLink(t, s), s.Dial(t)
	root := consul.Root(consultest.Namespace(t))
	putAt(t, direct, root, 300, "old")
	ctx, cancel := context.WithCancel(t.Context())
	var value atomic.Value
	var failed atomic.Int32
	var wg sync.WaitGroup
	conn := link.Dial(t)
	wg.Go(func() {
		conn.Watch(ctx, root+"k", consul.Watching{
			Seen:   func(pairs api.KVPairs) { value.Store(string(pairs[0].Value)) },
			Failed: func(error) { failed.Add(1) },
		})
	})
	consultest.Eventually(t, "the old value", func() bool { return value.Load() == "old" })
	link.Cut()
	s.Kill()
	consultest.Eventually(t, "a failure", func() bool { return failed.Load() > 0 })
	s.Restart(t)
	putAt(t, direct, root, 300, "new")
	link.Mend()
	consultest.Eventually(t, "the new value", func() bool { return value.Load() == "new" })
	cancel()
	wg.Wait()
}

// putAt writes the key k so that its index is this one.
func putAt(t *testing.T, conn *consul.Conn, root string, index uint64, value string) {
	t.Helper()
	for i := range index {
		if err := conn.Put(t.Context(), root+"other", fmt.Append(nil, i)); err != nil { // a write that changes nothing has no index
			t.Fatal(err)
		}
		other, err := conn.Get(t.Context(), root+"other")
		if err != nil || other.ModifyIndex >= index {
			t.Fatal("the index was passed", other, err)
		}
		if other.ModifyIndex == index-1 {
			break
		}
	}
	if err := conn.Put(t.Context(), root+"k", []byte(value)); err != nil {
		t.Fatal(err)
	}
	if k, err := conn.Get(t.Context(), root+"k"); err != nil || k.ModifyIndex != index {
		t.Fatal("another wrote between", k, err)
	}
}

// Changes that come faster than they are taken in are told together, and the last is never lost.
func TestConnWatch_endsUpWithTheLastChange(t *testing.T) {
	t.Parallel()
	conn := consultest.Start(t).Dial(t)
	root := consul.Root(consultest.Namespace(t))
	values := make(chan string, 1000)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		conn.Watch(ctx, root, consul.Watching{Seen: func(pairs api.KVPairs) {
			if len(pairs) == 1 {
				values <- string(pairs[0].Value)
			}
			pause(ctx, 20*time.Millisecond)
		}})
	})
	const writes = 200
	for i := range writes {
		if err := conn.Put(t.Context(), root+"k", fmt.Append(nil, i+1)); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	for v := range values {
		if n++; v == fmt.Sprint(writes) {
			break
		}
	}
	if n == writes {
		t.Error("every change was told by itself")
	}
	cancel()
	wg.Wait()
}
