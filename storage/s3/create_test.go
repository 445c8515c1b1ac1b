package s3_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hotfolderd/asset"
	"hotfolderd/storage"
	"hotfolderd/storage/s3"
	"hotfolderd/storage/s3/s3test"
	"hotfolderd/storage/storagetest"
)

var ifAbsent = storage.PutOptions{IfAbsent: true}

// behind opens a store through a proxy that lets all pass so far.
func behind(t *testing.T, s *s3test.Server) (*s3.Store, *s3test.Proxy) {
	t.Helper()
	p := s3test.NewProxy(t, s)
	c := config(t, s, "", "")
	c.URL = p.URL(s.Bucket(t), "pre")
	st := opened(t, c)
	p.Reset()
	return st, p
}

func put(ctx context.Context, s storage.Store, key asset.Key, content string, o storage.PutOptions) (storage.Object, error) {
	return s.Put(ctx, key, strings.NewReader(content), o)
}

func TestCreate_isSettledByAskingTheObject(t *testing.T) {
	onServers(t, func(t *testing.T, s *s3test.Server) {
		for name, c := range map[string]struct {
			fate   s3test.Fate // of the first PUT
			rival  bool        // has created it before
			want   error
			puts   int
			result string
		}{
			"a lost answer is a win":              {fate: s3test.Fate{LoseAnswer: true}, puts: 1, result: "mine"},
			"an error after it was done is a win": {fate: s3test.Fate{LoseAnswer: true, Status: 500}, puts: 1, result: "mine"},
			"a gateway's time-out is a win":       {fate: s3test.Fate{LoseAnswer: true, Status: 504}, puts: 1, result: "mine"},
			"a false refusal is a win":            {fate: s3test.Fate{LoseAnswer: true, Status: 412}, puts: 1, result: "mine"},
			"a lost request is sent again":        {fate: s3test.Fate{Lose: true}, puts: 2, result: "mine"},
			"a refused request is sent again":     {fate: s3test.Fate{Status: 503}, puts: 2, result: "mine"},
			"a conflict is sent again":            {fate: s3test.Fate{Status: 409}, puts: 2, result: "mine"},
			"a cut body is sent again":            {fate: s3test.Fate{CutRequest: 2}, puts: 2, result: "mine"},
			"a rival's object is a loss":          {rival: true, want: fs.ErrExist, puts: 1, result: "rival"},
			"so it is when the answer is lost":    {fate: s3test.Fate{LoseAnswer: true}, rival: true, want: fs.ErrExist, puts: 1, result: "rival"},
			"no access is no riddle":              {fate: s3test.Fate{Status: 403}, want: errRefused, puts: 1},
		} {
			t.Run(name, func(t *testing.T) {
				st, p := behind(t, s)
				if c.rival {
					if _, err := put(t.Context(), st, "k", "rival", ifAbsent); err != nil {
						t.Fatal(err)
					}
				}
				p.Reset()
				p.Decide(s3test.Nth(1, "PUT", c.fate))
				obj, err := put(t.Context(), st, "k", "mine", ifAbsent)
				if c.want == errRefused && err != nil && !errors.Is(err, fs.ErrExist) {
					err = errRefused
				}
				if !errors.Is(err, c.want) {
					t.Fatalf("want error %v, got %v", c.want, err)
				}
				if n := p.Count("PUT"); n != c.puts {
					t.Errorf("want %d PUT, got %d", c.puts, n)
				}
				if c.result != "" && storagetest.Content(t, st, "k") != c.result {
					t.Errorf("want %q, got %q", c.result, storagetest.Content(t, st, "k"))
				}
				if stat, _ := st.Stat(t.Context(), "k"); err == nil && stat.Version != obj.Version {
					t.Errorf("put answers version %q, stat %q", obj.Version, stat.Version)
				}
			})
		}
	})
}

var errRefused = errors.New("any refusal")

// A request that its sender gave up long ago may still arrive: before the second, which is then refused though it is ours, or after
// it.
func TestCreate_lateArrivalIsNoRival(t *testing.T) {
	onServers(t, func(t *testing.T, s *s3test.Server) {
		t.Run("before the second", func(t *testing.T) {
			st, p := behind(t, s)
			late := make(chan struct{})
			p.Decide(func(r *http.Request) s3test.Fate {
				switch {
				case r.Method == http.MethodPut && p.Counted("PUT") == 1:
					return s3test.Fate{Late: late}
				case r.Method == http.MethodPut:
					close(late)
					p.Settle() // the late one is the first to arrive
				}
				return s3test.Fate{}
			})
			if _, err := put(t.Context(), st, "k", "mine", ifAbsent); err != nil {
				t.Fatal(err)
			}
			if got := storagetest.Content(t, st, "k"); got != "mine" {
				t.Errorf("want mine, got %q", got)
			}
		})
		t.Run("after a rival won", func(t *testing.T) {
			st, p := behind(t, s)
			late := make(chan struct{})
			p.Decide(s3test.Nth(1, "PUT", s3test.Fate{Late: late}))
			if _, err := put(t.Context(), st, "k", "mine", ifAbsent); err != nil {
				t.Fatal(err)
			}
			close(late)
			p.Settle()
			if _, err := put(t.Context(), st, "k", "rival", ifAbsent); !errors.Is(err, fs.ErrExist) {
				t.Fatalf("want fs.ErrExist, got %v", err)
			}
			if got := storagetest.Content(t, st, "k"); got != "mine" {
				t.Errorf("want mine, got %q", got)
			}
		})
	})
}

func TestCreate_givesUpWithoutSayingThatItLost(t *testing.T) {
	t.Parallel()
	st, p := behind(t, shared(t, "versitygw"))
	p.Decide(func(r *http.Request) s3test.Fate { return s3test.Fate{Lose: r.Method == http.MethodPut} })
	_, err := put(t.Context(), st, "k", "mine", ifAbsent)
	if err == nil || errors.Is(err, fs.ErrExist) {
		t.Fatalf("want an error other than fs.ErrExist, got %v", err)
	}
	if n := p.Count("PUT"); n != 5 {
		t.Errorf("want 5 PUT, got %d", n)
	}
	p.Decide(nil)
	if _, err := put(t.Context(), st, "k", "mine", ifAbsent); err != nil {
		t.Errorf("again: %v", err)
	}
}

func TestCreate_endsSoonWithItsContext(t *testing.T) {
	t.Parallel()
	st, p := behind(t, shared(t, "versitygw"))
	hold := make(chan struct{})
	p.Decide(func(r *http.Request) s3test.Fate {
		if r.Method == http.MethodPut {
			<-hold
		}
		return s3test.Fate{}
	})
	defer close(hold)
	ctx, cancel := context.WithTimeoutCause(t.Context(), 100*time.Millisecond, errLease)
	defer cancel()
	begin := time.Now()
	_, err := put(ctx, st, "k", "mine", ifAbsent)
	if !errors.Is(err, errLease) {
		t.Errorf("want the cause, got %v", err)
	}
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
}

var errLease = errors.New("the lease is lost")

// Sixteen writers create the same objects while a third of the answers is lost: each object has one who was told that it won, and it
// is its writer.
func TestCreate_ofManyWritersHasOneWinnerThoughAnswersAreLost(t *testing.T) {
	const writers, keys = 16, 20
	onServers(t, func(t *testing.T, s *s3test.Server) {
		st, p := behind(t, s)
		var n atomic.Int64
		p.Decide(func(*http.Request) s3test.Fate { return s3test.Fate{LoseAnswer: n.Add(1)%3 == 0} })
		for k := range keys {
			key := asset.Key(fmt.Sprintf("k%d", k))
			errs := make([]error, writers)
			var all sync.WaitGroup
			for w := range writers {
				all.Go(func() { _, errs[w] = put(t.Context(), st, key, fmt.Sprintf("writer %d", w), ifAbsent) })
			}
			all.Wait()
			wantOneWinner(t, st, key, errs)
		}
	})
}

// wantOneWinner allows for writers that could not find out in time, which is rare and no answer.
func wantOneWinner(t *testing.T, st *s3.Store, key asset.Key, errs []error) {
	t.Helper()
	got := storagetest.Content(t, st, key)
	for w, err := range errs {
		mine := got == fmt.Sprintf("writer %d", w)
		switch {
		case err == nil && !mine:
			t.Errorf("%s: writer %d was told that it won, but there is %q", key, w, got)
		case errors.Is(err, fs.ErrExist) && mine:
			t.Errorf("%s: writer %d was told that it lost, but its object is there", key, w)
		case err != nil && !errors.Is(err, fs.ErrExist):
			t.Logf("%s: writer %d does not know: %v", key, w, err)
		}
	}
}

// A server that is killed and comes back never has half an object, and none that was acknowledged is missing.
func TestPut_serverKilledInTheMiddle(t *testing.T) {
	t.Parallel()
	for _, start := range []func(testing.TB) *s3test.Server{s3test.MinIO, s3test.VersityGW} {
		s := start(t)
		st := opened(t, config(t, s, s.Bucket(t), "pre"))
		const writers, rounds = 8, 12
		var acked sync.Map
		var all sync.WaitGroup
		var done atomic.Int64
		for w := range writers {
			all.Go(func() {
				for i := range rounds {
					key := asset.Key(fmt.Sprintf("w%d/%d", w, i))
					if _, err := put(t.Context(), st, key, body(key), ifAbsent); err == nil {
						acked.Store(key, true)
					} else if errors.Is(err, fs.ErrExist) {
						t.Errorf("%s: nobody else writes it, but: %v", key, err)
					}
					done.Add(1)
				}
			})
		}
		for _, at := range []int64{writers, 4 * writers} {
			for done.Load() < at {
				time.Sleep(time.Millisecond)
			}
			s.Kill()
			s.Restart(t)
		}
		all.Wait()
		acked.Range(func(k, _ any) bool {
			if key := k.(asset.Key); storagetest.Content(t, st, key) != body(key) {
				t.Errorf("%s was acknowledged and is not whole", key)
			}
			return true
		})
		for obj, err := range st.List(t.Context(), asset.Root, storage.ListOptions{Recursive: true}) {
			if err != nil {
				t.Fatal(err)
			}
			if obj.Kind == storage.Regular && storagetest.Content(t, st, obj.Key) != body(obj.Key) {
				t.Errorf("%s is not whole", obj.Key)
			}
		}
	}
}

func body(key asset.Key) string { return strings.Repeat(string(key)+" ", 20_000) }
