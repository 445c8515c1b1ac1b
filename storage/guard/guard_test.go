package guard_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"hotfolderd/asset"
	"hotfolderd/storage"
	"hotfolderd/storage/guard"
	"hotfolderd/storage/storagetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// guarded is a store in memory that hangs as told, deaf to any context, and what guards it.
type guarded struct {
	*guard.Store
	fault *storagetest.Fault
	calls *guard.Calls
	open  *atomic.Int64 // files
}

// counting counts the files that are open.
type counting struct {
	*storagetest.Fault
	open *atomic.Int64
}

func (c counting) Open(ctx context.Context, key asset.Key, v asset.Version) (storage.Reader, error) {
	r, err := c.Fault.Open(ctx, key, v)
	if err != nil {
		return nil, err
	}
	c.open.Add(1)
	return countingReader{r, c.open}, nil
}

type countingReader struct {
	storage.Reader
	open *atomic.Int64
}

func (r countingReader) Close() error {
	r.open.Add(-1)
	return r.Reader.Close()
}

func newGuarded(most int) guarded {
	f := storagetest.NewFault(storagetest.NewMem())
	ask := func(ctx context.Context) error {
		_, err := f.Stat(ctx, "the question")
		if errors.Is(err, storage.ErrNoFolder) || !errors.Is(err, storage.ErrIdentity) {
			return nil
		}
		return err
	}
	c := guard.NewCalls(ask, guard.Options{Name: "/mnt/share", Most: most})
	open := new(atomic.Int64)
	return guarded{guard.New(counting{f, open}, c), f, c, open}
}

var hang = storagetest.Rule{Hang: true, Deaf: true}

func TestStore_keepsTheContract(t *testing.T) {
	storagetest.Run(t, func(t *testing.T) storage.Store { return newGuarded(0).Store }, storagetest.Options{})
}

func TestStore_silentRefusesAtOnceAndTakesNoMoreThreads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const most, callers = 10, 300
		g := newGuarded(most)
		g.fault.Inject(hang)
		var all sync.WaitGroup
		var longest atomic.Int64
		for i := range callers {
			all.Go(func() {
				begin := time.Now()
				err := useOne(t.Context(), g.Store, i)
				if !errors.Is(err, storage.ErrSilent) || !strings.Contains(err.Error(), "/mnt/share") {
					t.Errorf("want it said that /mnt/share does not answer, got %v", err)
				}
				longest.Store(max(longest.Load(), int64(time.Since(begin))))
			})
		}
		all.Wait()
		if took := time.Duration(longest.Load()); took > 7*time.Second {
			t.Errorf("want every caller told within 7 s, one waited %s", took)
		}
		hung := g.fault.Count("")
		if hung > 2*most+1 { // as many again that list, and the question
			t.Errorf("want at most %d calls that hang, got %d", 2*most+1, hung)
		}
		begin := time.Now()
		for i := range callers {
			if err := useOne(t.Context(), g.Store, i); !errors.Is(err, storage.ErrSilent) {
				t.Errorf("want it refused, got %v", err)
			}
		}
		if took := time.Since(begin); took != 0 {
			t.Errorf("want refusals at once, they took %s", took)
		}
		if now := g.fault.Count(""); now != hung {
			t.Errorf("want no further call to a silent store, got %d", now-hung)
		}
		g.fault.Clear()
		synctest.Wait()
		if err := g.calls.Ask(); err != nil {
			t.Errorf("want it to answer again, got %v", err)
		}
		for i := range callers {
			if err := useOne(t.Context(), g.Store, i); err != nil {
				t.Errorf("want all to go on, got %v", err)
			}
		}
	})
}

// useOne makes one of some calls.
func useOne(ctx context.Context, s *guard.Store, i int) error {
	switch i % 4 {
	case 0:
		_, err := s.Put(ctx, asset.Key(fmt.Sprint(i)), strings.NewReader("x"), storage.PutOptions{})
		return err
	case 1:
		for _, err := range s.List(ctx, asset.Root, storage.ListOptions{}) {
			if err != nil {
				return err
			}
		}
		return nil
	case 2:
		return s.Sync(ctx, "a")
	}
	_, _, err := s.Space(ctx)
	return err
}

func TestStore_aLongCallIsLeftAloneWhileTheStoreAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuarded(0)
		g.fault.Inject(storagetest.Rule{Op: storagetest.OpPublish, Latency: time.Hour})
		if _, err := g.Put(t.Context(), "large", strings.NewReader("x"), storage.PutOptions{}); err != nil {
			t.Errorf("want it waited for, got %v", err)
		}
	})
}

func TestStore_aCallerLeavesSoonBehindItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuarded(0)
		g.fault.Inject(storagetest.Rule{Op: storagetest.OpSpace, Hang: true, Deaf: true})
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		begin := time.Now()
		if _, _, err := g.Space(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("want the end of the context, got %v", err)
		}
		if took := time.Since(begin); took > 5*time.Second {
			t.Errorf("want it to leave soon, it took %s", took)
		}
		g.fault.Clear()
	})
}

func TestStore_whatIsHandedOverTooLateIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuarded(0)
		if _, err := g.Put(t.Context(), "f", strings.NewReader("bytes"), storage.PutOptions{}); err != nil {
			t.Fatal(err)
		}
		r, err := g.Open(t.Context(), "f", "")
		if err != nil {
			t.Fatal(err)
		}
		st, err := g.Stage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		g.fault.Inject(hang)
		if _, err := g.Open(t.Context(), "f", ""); !errors.Is(err, storage.ErrSilent) {
			t.Errorf("want no answer, got %v", err)
		}
		if _, err := r.Read(make([]byte, 10)); !errors.Is(err, storage.ErrSilent) {
			t.Errorf("want no answer, got %v", err)
		}
		if err := errors.Join(r.Close(), st.Discard()); err != nil { // at once, although the store hangs
			t.Error(err)
		}
		g.fault.Clear()
		synctest.Wait()
		if got := g.fault.Count(storagetest.OpDiscard); got != 2 { // the first is that of the Put
			t.Errorf("want the staging discarded when the store is back, got %d discards", got)
		}
		if got := g.open.Load(); got != 0 {
			t.Errorf("want all files closed when the store is back, %d are open", got)
		}
	})
}

func TestStore_aThingWhoseCallDidNotComeBackIsUsedNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuarded(0)
		st, err := g.Stage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		lift := g.fault.Inject(hang)
		if _, err := st.Write([]byte("half")); !errors.Is(err, storage.ErrSilent) {
			t.Errorf("want no answer, got %v", err)
		}
		lift()
		g.fault.Release()
		synctest.Wait()
		if err := g.calls.Ask(); err != nil {
			t.Fatal(err)
		}
		if _, err := st.Publish(t.Context(), "f", storage.PutOptions{}); !errors.Is(err, storage.ErrSilent) {
			t.Errorf("want it refused: nobody knows which bytes it has; got %v", err)
		}
		if err := st.Discard(); err != nil {
			t.Error(err)
		}
	})
}

func TestStore_whatIsNotTheStoreIsRefusedUntilItIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuarded(0)
		g.fault.Inject(storagetest.Rule{Op: storagetest.OpStat, Err: storage.ErrIdentity})
		if err := g.calls.Ask(); !errors.Is(err, storage.ErrIdentity) {
			t.Errorf("want it told, got %v", err)
		}
		if err := g.Sync(t.Context(), "f"); !errors.Is(err, storage.ErrIdentity) {
			t.Errorf("want calls refused, got %v", err)
		}
		g.fault.Clear()
		if err := errors.Join(g.calls.Ask(), g.Sync(t.Context(), "f")); err != nil {
			t.Errorf("want all to go on, got %v", err)
		}
	})
}

func TestStore_listsInTheOrderOfTheInnerOneAndAsksOnlyItsCaller(t *testing.T) {
	g := newGuarded(0)
	for i := range 1000 {
		if _, err := g.Put(t.Context(), asset.Key(fmt.Sprintf("%d/%d", i%7, i)), strings.NewReader("x"), storage.PutOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	order := func(s storage.Store) (all []string) {
		o := storage.ListOptions{Recursive: true, Enter: func(k asset.Key) bool {
			all = append(all, "enter "+string(k))
			return k != "3"
		}}
		for obj, err := range s.List(t.Context(), asset.Root, o) {
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, string(obj.Key))
		}
		return all
	}
	if want, got := order(g.fault), order(g.Store); fmt.Sprint(want) != fmt.Sprint(got) {
		t.Errorf("want %d steps in this order, got %d:\n%v\n%v", len(want), len(got), want, got)
	}
}

func TestCalls_ofNobodyAreMadeAtOnce(t *testing.T) {
	var c *guard.Calls
	if err := c.Do(t.Context(), func() error { return io.EOF }); !errors.Is(err, io.EOF) {
		t.Errorf("want the error of the call, got %v", err)
	}
}

func TestCalls_closeWaitsForNoServerThatAnswersAllElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newGuarded(0).calls
		answer, begin := make(chan struct{}), time.Now()
		if err := c.Close(func() error { <-answer; return nil }); err != nil {
			t.Error(err)
		}
		if took := time.Since(begin); took > 5*time.Second {
			t.Errorf("want an end soon, it took %s", took)
		}
		close(answer)
		fault := errors.New("no")
		if err := c.Close(func() error { return fault }); !errors.Is(err, fault) {
			t.Errorf("want what the store says, got %v", err)
		}
	})
}
