package hotfolder

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"hotfolderd/asset"
	"hotfolderd/config"
	"hotfolderd/storage"
)

// telling is a share that sends the hints it is given.
type telling struct {
	share
	mu      sync.Mutex
	hints   chan storage.Hint // of the last Watch
	watches int
	refuse  error
	rarely  func() bool
	scans   atomic.Int64 // listings of everything
}

func (s *telling) List(ctx context.Context, prefix asset.Key, o storage.ListOptions) iter.Seq2[storage.Object, error] {
	if o.Recursive {
		s.scans.Add(1)
	}
	return s.share.List(ctx, prefix, o)
}

func (s *telling) Watch(_ context.Context, _ asset.Key, o storage.WatchOptions) (<-chan storage.Hint, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watches++
	s.rarely = o.Rarely
	if s.refuse != nil {
		return nil, s.refuse
	}
	s.hints = make(chan storage.Hint, 10)
	return s.hints, nil
}

// last is the newest watch's channel and how many there were.
func (s *telling) last() (chan storage.Hint, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hints, s.watches
}

func (s *telling) hint(h storage.Hint) {
	hints, _ := s.last()
	hints <- h
}

// watchedBench is a room that has scanned its one folder and waits for hints.
func watchedBench(t *testing.T, s *telling, change func(*config.Rule), test func(b *bench)) {
	bubbled(t, Options{}, func(b *bench) {
		s.Mem = b.mem
		s.props.WholeObjects = true
		b.store = s
		b.room.Set([]Spec{b.spec("in", change)})
		b.run()
		test(b)
	})
}

func TestWatching_aHintBringsADropInAtOnce(t *testing.T) {
	s := &telling{}
	watchedBench(t, s, nil, func(b *bench) {
		begin := time.Now()
		b.drop("in", "a", ".hidden", "unhinted")
		for _, key := range []asset.Key{"hotfolders/in/a", "hotfolders/in/.hidden", "hotfolders/in/gone", "hotfolders/other/x"} {
			s.hint(storage.Hint{Key: key, Created: true})
		}
		synctest.Wait()
		b.want(asset.Imported, "in/a")
		s.hint(storage.Hint{Key: "hotfolders/in", Rescan: true})
		synctest.Wait()
		b.want(asset.Imported, "in/a", "in/unhinted")
		if took := time.Since(begin); took > time.Second {
			t.Errorf("want it at once, got after %s", took)
		}
		if got := b.status("in").Watching; got != "events" {
			t.Errorf("want it said, got %q", got)
		}
	})
}

func TestWatching_aMarkersHintIsItsDrops(t *testing.T) {
	for marker, name := range map[string]asset.Key{"{name}.done": "d/a.done", "READY": "d/READY"} {
		t.Run(marker, func(t *testing.T) {
			s := &telling{}
			watchedBench(t, s, func(r *config.Rule) { r.Complete.DoneMarker = marker }, func(b *bench) {
				s.props.WholeObjects = false
				b.drop("in", "d/a")
				s.hint(storage.Hint{Key: "hotfolders/in/d/a"})
				synctest.Wait()
				b.want(asset.Imported)
				b.drop("in", name)
				s.hint(storage.Hint{Key: asset.Key("hotfolders/in").Join(name)})
				b.pass(config.DefaultSettle.D()) // a marker for a folder asks for a scan, which leaves a waiting one its time
				b.want(asset.Imported, "in/d/a")
			})
		})
	}
}

func TestWatching_beginsAnewWhenItEnds(t *testing.T) {
	s := &telling{}
	watchedBench(t, s, nil, func(b *bench) {
		old, _ := s.last()
		b.drop("in", "a")
		close(old)
		synctest.Wait()
		if hints, watches := s.last(); watches != 2 || hints == old {
			t.Errorf("want a second watch, got %d", watches)
		}
		b.want(asset.Imported, "in/a") // found by the scan that follows
		b.drop("in", "b")
		s.hint(storage.Hint{Key: "hotfolders/in/b"})
		synctest.Wait()
		b.want(asset.Imported, "in/a", "in/b")
	})
}

func TestWatching_pollsWhereItCannotWatch(t *testing.T) {
	for name, c := range map[string]struct {
		mode   string
		remote bool
		times  bool
		refuse error
		want   string
		tried  bool
	}{
		"as the rule says":         {mode: "poll", want: "polling, as complete.watch says"},
		"on a share":               {mode: "auto", remote: true, times: true, want: "looking at folders: on nfs other machines write unseen", tried: true},
		"no times on a share":      {mode: "auto", remote: true, want: "looking at folders and polling: on nfs other machines write unseen", tried: true},
		"no watch is left":         {mode: "auto", refuse: errors.New("no watch is left"), want: "polling: no watch is left", tried: true},
		"events on a share, asked": {mode: "events", remote: true, times: true, want: "looking at folders: on nfs other machines write unseen", tried: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := &telling{refuse: c.refuse}
			s.props.Remote, s.props.FolderTimes, s.props.Kind = c.remote, c.times, "nfs"
			watchedBench(t, s, func(r *config.Rule) { r.Complete.Watch = c.mode }, func(b *bench) {
				_, watches := s.last()
				if got := b.status("in").Watching; got != c.want || (watches > 0) != c.tried {
					t.Errorf("want %q, got %q after %d watches", c.want, got, watches)
				}
				b.drop("in", "a")
				if c.times {
					return // hints tell of it, or a scan much later
				}
				b.pass(2 * maxPoll)
				b.want(asset.Imported, "in/a")
			})
		})
	}
}

// TestWatching_aHintOfAFolderIsALookAtItAlone has names come in two folders of a share, of which one is told.
func TestWatching_aHintOfAFolderIsALookAtItAlone(t *testing.T) {
	s := &telling{}
	s.props.Remote, s.props.FolderTimes = true, true
	watchedBench(t, s, nil, func(b *bench) {
		b.drop("in", "d/a", "e/b", "d/deep/c")
		s.hint(storage.Hint{Key: "hotfolders/in/d", Rescan: true, Inside: true})
		synctest.Wait()
		b.want(asset.Imported, "in/d/a")
		s.hint(storage.Hint{Key: "hotfolders/in/gone", Rescan: true, Inside: true}) // cannot be looked at, so all is
		synctest.Wait()
		b.pass(time.Second)
		if got := len(b.told(asset.Imported)); got != 3 {
			t.Errorf("want all three found by a scan, got %d", got)
		}
	})
}

// TestWatching_ofAShareScansOftenWhileHintsMissThings counts the scans of a share whose hints tell nothing, and of one that tells all.
func TestWatching_ofAShareScansOftenWhileHintsMissThings(t *testing.T) {
	var scans [2]int64
	for i, tells := range []bool{false, true} {
		s := &telling{}
		s.props.Remote, s.props.FolderTimes = true, true
		watchedBench(t, s, nil, func(b *bench) {
			b.drop("in", ".stays")
			b.pass(2 * sharePoll) // by now scans are as rare as they are ever
			before := s.scans.Load()
			for n := range 20 {
				b.drop("in", asset.Key(fmt.Sprint(n)))
				if tells {
					s.hint(storage.Hint{Key: "hotfolders/in", Rescan: true, Inside: true})
				}
				b.pass(30 * time.Second)
			}
			scans[i] = s.scans.Load() - before
		})
	}
	if scans[0] < 20 || scans[1] > 5 {
		t.Errorf("want many scans only where hints miss things, got %d and %d", scans[0], scans[1])
	}
}
