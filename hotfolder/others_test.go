package hotfolder

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hotfolderd/asset"
	"hotfolderd/leases"
	"hotfolderd/storage"
)

// oneOfTwo is a room on a share whose drops are its own when their names begin with a; whose is the hotfolder itself is told. It collects of which
// drops others are told.
func oneOfTwo(t *testing.T, looks bool, test func(b *bench, s *telling, told func() []asset.Key)) {
	var mu sync.Mutex
	var all []asset.Key
	s := &telling{}
	s.props.Remote, s.props.FolderTimes = true, true
	bubbled(t, Options{}, func(b *bench) {
		s.Mem = b.mem
		s.props.WholeObjects = true
		b.store = s
		own := newLease()
		b.claim = func(_ string, key asset.Key) leases.Lease {
			if key == asset.Root && looks || key.Base() != "" && key.Base()[0] == 'a' {
				return own
			}
			return nil
		}
		b.room.d.Tell = func(hotfolder string, key asset.Key) {
			mu.Lock()
			defer mu.Unlock()
			all = append(all, asset.Key(hotfolder).Join(key))
		}
		b.room.Set([]Spec{b.spec("in", nil)})
		b.run()
		test(b, s, func() []asset.Key {
			mu.Lock()
			defer mu.Unlock()
			slices.Sort(all)
			return all
		})
	})
}

var inFolder = storage.Hint{Key: "hotfolders/in/d", Rescan: true, Inside: true}

func TestOthers_areToldOfTheirDropsByTheNodeThatLooks(t *testing.T) {
	for _, looks := range []bool{true, false} {
		oneOfTwo(t, looks, func(b *bench, s *telling, told func() []asset.Key) {
			if got := s.rarely(); got == looks {
				t.Errorf("want looks rare when others look, got %v", got)
			}
			b.drop("in", "d/b-old", "d/.b-hidden")
			b.pass(2 * lately)
			b.drop("in", "d/a", "d/b1", "d/b2")
			s.hint(inFolder)
			synctest.Wait()
			b.want(asset.Imported, "in/d/a")
			want := []asset.Key{"in/d/b1", "in/d/b2"}
			if !looks {
				want = nil
			}
			if got := told(); !slices.Equal(got, want) {
				t.Errorf("want %v told, got %v", want, got)
			}
			s.hint(inFolder)
			synctest.Wait()
			if got := told(); !slices.Equal(got, want) {
				t.Errorf("want nothing told twice, got %v", got)
			}
		})
	}
}

func TestOthers_aDropThatWasSeenElsewhereIsTakenAtOnce(t *testing.T) {
	oneOfTwo(t, false, func(b *bench, s *telling, _ func() []asset.Key) {
		b.pass(2 * sharePoll) // scans are rare by now
		b.drop("in", "d/a", "d/a2", "d/b", "d/.a")
		before := s.scans.Load()
		for _, key := range []asset.Key{"d/a", "d/b", "d/.a", "d/a-gone"} {
			b.room.Seen("in", key)
		}
		b.room.Seen("unknown", "a")
		synctest.Wait()
		b.want(asset.Imported, "in/d/a")
		b.room.Scan("in")
		b.pass(time.Second)
		b.want(asset.Imported, "in/d/a", "in/d/a2")
		b.pass(10 * time.Second)
		if scans := s.scans.Load() - before; scans > 5 {
			t.Errorf("want a folder that another node told of no sign of times that cannot be trusted, got %d scans", scans)
		}
	})
}

func TestFinds_areBoundedAndTheLast(t *testing.T) {
	begin := time.Unix(1000, 0)
	var l finds
	for i := range 10 * maxFinds {
		l.add(storage.Object{Key: asset.Key(fmt.Sprint(i)), Changed: begin.Add(time.Duration(i) * time.Microsecond)})
	}
	if n := cap(l.all); n > 4*maxFinds {
		t.Errorf("want room for few, got %d", n)
	}
	last := l.last()
	if len(last) != maxFinds || last[0].Key != asset.Key(fmt.Sprint(10*maxFinds-1)) {
		t.Errorf("want the last %d, got %d beginning with %s", maxFinds, len(last), last[0].Key)
	}
	l.add(storage.Object{Key: "new", Changed: begin.Add(time.Hour)})
	if last := l.last(); len(last) != 1 {
		t.Errorf("want only what came lately, got %d", len(last))
	}
}
