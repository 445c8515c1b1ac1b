package hotfolder

import (
	"context"
	"errors"
	"sync"
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
}

func (s *telling) Watch(context.Context, asset.Key, func(asset.Key) bool) (<-chan storage.Hint, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watches++
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
		refuse error
		want   string
		tried  bool
	}{
		"as the rule says":         {mode: "poll", want: "polling, as complete.watch says"},
		"on a share":               {mode: "auto", remote: true, want: "polling: on nfs other machines write unseen"},
		"no watch is left":         {mode: "auto", refuse: errors.New("no watch is left"), want: "polling: no watch is left", tried: true},
		"events on a share, asked": {mode: "events", remote: true, want: "events", tried: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := &telling{refuse: c.refuse}
			s.props.Remote, s.props.Kind = c.remote, "nfs"
			watchedBench(t, s, func(r *config.Rule) { r.Complete.Watch = c.mode }, func(b *bench) {
				_, watches := s.last()
				if got := b.status("in").Watching; got != c.want || (watches > 0) != c.tried {
					t.Errorf("want %q, got %q after %d watches", c.want, got, watches)
				}
				if c.want == "events" {
					return
				}
				b.drop("in", "a")
				b.pass(2 * maxPoll)
				b.want(asset.Imported, "in/a")
			})
		})
	}
}
