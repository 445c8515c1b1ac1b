package hotfolder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"hotfolderd/asset"
	"hotfolderd/config"
	"hotfolderd/leases"
	"hotfolderd/storage"
)

// bubbled runs a test by a clock of its own, which stands still while anything works.
func bubbled(t *testing.T, o Options, test func(b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(newBench(t, o)) })
}

func TestRoom_importsWhatLiesThereOldestFirst(t *testing.T) {
	bubbled(t, Options{Workers: 1}, func(b *bench) {
		b.drop("in", "z", "m/y", "a")
		b.room.Halt("not yet")
		b.room.Set([]Spec{b.spec("in", nil)})
		b.run()
		b.want(asset.Imported)
		b.room.Halt("")
		synctest.Wait()
		b.want(asset.Imported, "in/z", "in/m/y", "in/a")
		if left := b.lying("in"); len(left) != 0 {
			t.Errorf("want nothing left, got %v", left)
		}
		if s := b.status("in"); s.Counts.Imported != 3 || s.Level != Green || s.State != "watching" || s.InHand != 0 {
			t.Errorf("want 3 imported and all well, got %+v", s)
		}
	})
}

func TestRoom_hotfoldersTakeTurns(t *testing.T) {
	bubbled(t, Options{Workers: 1}, func(b *bench) {
		for i := range 20 {
			b.drop("full", asset.Key(fmt.Sprintf("f%02d", i)))
		}
		b.drop("late", "l0", "l1", "l2") // newer than everything in the full one
		b.drop("last", "x0")
		var order []string
		b.step = func(step, hotfolder string, _ asset.Key) {
			if step == stepSettle {
				order = append(order, hotfolder) // one worker
			}
		}
		b.room.Halt("not yet")
		b.room.Set([]Spec{b.spec("full", nil), b.spec("late", nil), b.spec("last", nil)})
		b.run()
		b.room.Halt("")
		synctest.Wait()
		want := []string{"full", "late", "last", "full", "late", "full", "late", "full", "full"}
		if len(order) != 24 || !slices.Equal(order[:len(want)], want) {
			t.Errorf("want %v ..., got %v", want, order)
		}
	})
}

func TestRoom_oneHotfolderNeverHasAllWorkers(t *testing.T) {
	bubbled(t, Options{Workers: 5, PerHotfolder: 3}, func(b *bench) {
		open := make(gate)
		b.stage = func(ctx context.Context, _ string) error { return open.pass(ctx) }
		for i := range 10 {
			b.drop("full", asset.Key(fmt.Sprint(i)))
		}
		b.room.Set([]Spec{b.spec("full", nil), b.spec("other", nil)})
		b.run()
		if s := b.status("full"); s.InHand != 3 || s.Ready != 7 || s.State != "importing" {
			t.Errorf("want 3 in hand and 7 ready, got %+v", s)
		}
		b.drop("other", "a", "b", "c")
		if err := b.room.Scan("other"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if s := b.status("other"); s.InHand != 2 {
			t.Errorf("want the two other workers at the other hotfolder, got %+v", s)
		}
		close(open)
		synctest.Wait()
		if got := len(b.told(asset.Imported)); got != 13 {
			t.Errorf("want all 13 imported in the end, got %d", got)
		}
	})
}

func TestRoom_pausedItWatchesButTakesNothing(t *testing.T) {
	bubbled(t, Options{}, func(b *bench) {
		b.room.Set([]Spec{b.spec("in", nil), b.spec("other", nil)})
		b.run()
		b.room.Pause(map[string]string{"in": "somebody asked", "none": "not here"})
		b.drop("in", "a")
		b.drop("other", "b")
		b.pass(time.Minute)
		b.want(asset.Imported, "other/b")
		if s := b.status("in"); s.Ready != 1 || s.Level != Amber || s.State != "paused" || s.Reason != "somebody asked" {
			t.Errorf("want one seen, amber and why, got %+v", s)
		}
		b.room.Set([]Spec{b.spec("in", func(r *config.Rule) { r.Complete.Settle++ }), b.spec("other", nil)})
		b.pass(time.Minute)
		b.want(asset.Imported, "other/b") // another rule ends no pause
		b.room.Pause(nil)
		b.pass(time.Minute)
		b.want(asset.Imported, "other/b", "in/a")
	})
}

func TestRoom_haltedItFinishesWhatItHasInHand(t *testing.T) {
	bubbled(t, Options{Workers: 1}, func(b *bench) {
		open := make(gate)
		b.stage = func(ctx context.Context, _ string) error { return open.pass(ctx) }
		b.drop("in", "a", "b")
		b.room.Set([]Spec{b.spec("in", nil)})
		b.run()
		b.room.Halt("no majority")
		close(open)
		b.pass(time.Minute)
		b.want(asset.Imported, "in/a")
		if s := b.status("in"); s.Level != Red || s.State != "halted" || s.Reason != "no majority" {
			t.Errorf("want it red with the reason, got %+v", s)
		}
		b.room.Halt("")
		synctest.Wait()
		b.want(asset.Imported, "in/a", "in/b")
	})
}

func TestRoom_scanLooksNow(t *testing.T) {
	bubbled(t, Options{}, func(b *bench) {
		b.drop("in", "first")
		b.room.Set([]Spec{b.spec("in", nil)})
		b.run()
		b.pass(10 * maxPoll) // by now it polls as rarely as it ever does
		begin := time.Now()
		b.drop("in", "a")
		if err := b.room.Scan("in"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if took := time.Since(begin); took > time.Millisecond {
			t.Errorf("want it found at once, got after %s", took)
		}
		b.want(asset.Imported, "in/first", "in/a")
		if err := b.room.Scan("none"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("want fs.ErrNotExist for a name that is not there, got %v", err)
		}
	})
}

func TestRoom_pollsWithinItsBound(t *testing.T) {
	bubbled(t, Options{}, func(b *bench) {
		b.room.Set([]Spec{b.spec("in", nil), b.spec("asked", func(r *config.Rule) { r.Complete.Poll = config.Duration(3 * time.Second) })})
		b.run()
		b.pass(time.Hour)
		b.drop("in", "a")
		b.drop("asked", "b")
		b.pass(3 * time.Second)
		if got := b.told(asset.Imported); !slices.Contains(got, "asked/b") {
			t.Errorf("want what the rule polls every 3 s, got %v", got)
		}
		b.pass(maxPoll - 3*time.Second)
		if got := b.told(asset.Imported); !slices.Contains(got, "in/a") {
			t.Errorf("want the other after %s, got %v", maxPoll, got)
		}
	})
}

// Workers that have nothing to do must not eat the wake-up of a hotfolder that waits for its last walk.
func TestSet_aChangedRuleEndsWhatIsInHandFirst(t *testing.T) {
	bubbled(t, Options{Workers: 8}, func(b *bench) {
		open := make(gate)
		b.stage = func(ctx context.Context, _ string) error { return open.pass(ctx) }
		b.drop("in", "a")
		b.room.Set([]Spec{b.spec("in", nil), b.spec("same", nil)})
		b.run()
		b.drop("in", "b")
		b.room.Set([]Spec{b.spec("in", func(r *config.Rule) { r.Name = "new/{{.Path}}" }), b.spec("same", nil)})
		b.pass(time.Minute)
		b.want(asset.Imported) // the old rule is still at work, so the new one is not
		close(open)
		synctest.Wait()
		b.want(asset.Imported, "in/a", "in/b")
		names := map[asset.Key]asset.Key{}
		for _, rec := range b.records {
			names[rec.Key] = rec.Name
		}
		if names["a"] != "in/a" || names["b"] != "new/b" {
			t.Errorf("want the old name for the one in hand and the new name for the next, got %v", names)
		}
	})
}

func TestSet_ofTheSameRulesDisturbsNothing(t *testing.T) {
	bubbled(t, Options{}, func(b *bench) {
		b.drop("in", "a")
		b.room.Set([]Spec{b.spec("in", nil)})
		b.run()
		b.room.Set([]Spec{b.spec("in", nil), b.spec("second", nil)})
		synctest.Wait()
		if s := b.status("in"); s.Counts.Imported != 1 {
			t.Errorf("want its counts kept, got %+v", s)
		}
		b.room.Set(nil)
		synctest.Wait()
		if got := b.room.Status(); len(got) != 0 {
			t.Errorf("want none left, got %+v", got)
		}
	})
}

// One hotfolder's walk hangs while its rule changes; the others must not wait for it.
func TestSet_aHotfolderThatEndsSlowlyHoldsUpNoOther(t *testing.T) {
	bubbled(t, Options{Workers: 2, PerHotfolder: 1}, func(b *bench) {
		open := make(gate)
		b.stage = func(ctx context.Context, data string) error {
			if data == "slow" {
				return open.pass(ctx)
			}
			return nil
		}
		b.drop("in", "slow")
		b.room.Set([]Spec{b.spec("in", nil), b.spec("other", nil)})
		b.run()
		b.room.Set([]Spec{b.spec("in", func(r *config.Rule) { r.Conflict = asset.ConflictSkip }), b.spec("other", nil)})
		synctest.Wait()
		b.drop("other", "a", "b")
		b.pass(2 * maxPoll)
		b.want(asset.Imported, "other/a", "other/b")
		close(open)
		synctest.Wait()
	})
}

func TestRoom_otherNodesDropsAreLeftAlone(t *testing.T) {
	bubbled(t, Options{}, func(b *bench) {
		var mine atomic.Bool
		lease := newLease()
		b.claim = func(_ string, key asset.Key) leases.Lease {
			if key == "theirs" && !mine.Load() {
				return nil
			}
			return lease
		}
		var walked []asset.Key
		var mu sync.Mutex
		b.step = func(_, _ string, key asset.Key) { mu.Lock(); defer mu.Unlock(); walked = append(walked, key) }
		b.drop("in", "theirs", "ours")
		b.room.Set([]Spec{b.spec("in", nil)})
		b.run()
		b.pass(time.Minute)
		b.want(asset.Imported, "in/ours")
		if slices.Contains(walked, "theirs") || !slices.Equal(b.lying("in"), []asset.Key{"theirs"}) {
			t.Errorf("want the other's drop not even opened, got steps of %v and %v left", walked, b.lying("in"))
		}
		mine.Store(true)
		b.pass(maxPoll)
		b.want(asset.Imported, "in/ours", "in/theirs")
	})
}

// A store may answer a canceled context by its cause or by the context's own error only; both are the lease's loss.
func TestRoom_aLostLeaseEndsTheWalkAndLeavesTheDrop(t *testing.T) {
	for name, answer := range map[string]func(context.Context) error{
		"cause": context.Cause,
		"plain": context.Context.Err,
		"other": func(context.Context) error { return errBroken },
	} {
		t.Run(name, func(t *testing.T) {
			bubbled(t, Options{}, func(b *bench) {
				lost := newLease()
				b.claim = func(string, asset.Key) leases.Lease {
					if lost.ctx.Err() != nil {
						return nil
					}
					return lost
				}
				var cause error
				b.stage = func(ctx context.Context, _ string) error {
					<-ctx.Done()
					cause = context.Cause(ctx)
					return answer(ctx)
				}
				b.drop("in", "a")
				b.room.Set([]Spec{b.spec("in", func(r *config.Rule) { r.Retry.Attempts = 1 })})
				b.run()
				lost.end(fmt.Errorf("session gone: %w", leases.ErrLost))
				b.pass(time.Minute)
				if !errors.Is(cause, leases.ErrLost) {
					t.Errorf("want the walk to end with ErrLost, got %v", cause)
				}
				if left := b.lying("in"); !slices.Equal(left, []asset.Key{"a"}) {
					t.Errorf("want the drop left for its new holder, got %v", left)
				}
				if len(b.records) != 0 || len(b.failed) != 0 || len(b.events) != 0 {
					t.Errorf("want nothing committed, failed or told, got %v %v %v", b.records, b.failed, b.events)
				}
				if s := b.status("in"); s.Level != Green || s.InHand != 0 {
					t.Errorf("want all well, got %+v", s)
				}
			})
		})
	}
}

func TestRun_finishesWhatItHasInHand(t *testing.T) {
	bubbled(t, Options{Workers: 4}, func(b *bench) {
		b.stage = func(context.Context, string) error { time.Sleep(defaultGrace / 2); return nil }
		b.drop("one", "a", "later")
		b.drop("two", "b")
		b.drop("three", "c")
		b.room.Set([]Spec{
			b.spec("one", func(r *config.Rule) { r.Match.Exclude = []string{"later"} }), b.spec("two", nil), b.spec("three", nil),
		})
		b.run()
		begin := time.Now()
		b.stop()
		if took := time.Since(begin); took != defaultGrace/2 {
			t.Errorf("want it to end with its last walk after %s, got %s", defaultGrace/2, took)
		}
		if got := b.told(asset.Imported); len(got) != 3 {
			t.Errorf("want all three finished, got %v", got)
		}
	})
}

func TestRun_givesUpWhatHangsAfterItsGrace(t *testing.T) {
	bubbled(t, Options{Workers: 4}, func(b *bench) {
		b.stage = func(ctx context.Context, _ string) error { <-ctx.Done(); return ctx.Err() }
		b.drop("one", "a")
		b.drop("two", "b")
		b.room.Set([]Spec{b.spec("one", nil), b.spec("two", nil)})
		b.run()
		begin := time.Now()
		b.stop()
		if took := time.Since(begin); took != defaultGrace {
			t.Errorf("want it to end after %s, got %s", defaultGrace, took)
		}
		if len(b.lying("one")) != 1 || len(b.lying("two")) != 1 || len(b.events) != 0 {
			t.Errorf("want both drops left and nothing told, got %v", b.events)
		}
	})
}

// Walks of several hotfolders end in any order; each hotfolder must hear of its own.
func TestRun_endsWhateverEndsFirst(t *testing.T) {
	bubbled(t, Options{Workers: 16}, func(b *bench) {
		var specs []Spec
		for i := range 8 {
			name := fmt.Sprint("h", i)
			b.drop(name, asset.Key(strings.Repeat("x", 8-i)))
			specs = append(specs, b.spec(name, nil))
		}
		b.stage = func(_ context.Context, data string) error {
			time.Sleep(time.Duration(len(data)) * time.Second)
			return nil
		}
		b.room.Set(specs)
		b.run()
		b.stop()
		if got := len(b.told(asset.Imported)); got != 8 {
			t.Errorf("want all 8 finished, got %d", got)
		}
	})
}

func TestRoom_aPoisonedDropGoesToFailedAfterItsAttempts(t *testing.T) {
	bubbled(t, Options{}, func(b *bench) {
		b.stage = func(_ context.Context, data string) error {
			if data == "poison" {
				return errBroken
			}
			return nil
		}
		b.drop("in", "poison", "good")
		b.room.Set([]Spec{b.spec("in", nil)})
		b.run()
		b.pass(time.Hour)
		b.want(asset.Imported, "in/good")
		b.want(asset.Retrying, "in/poison", "in/poison", "in/poison", "in/poison")
		b.want(asset.Failed, "in/poison")
		f := b.failed[0]
		if f.Attempts != config.DefaultAttempts || f.Step != stepStage || !strings.Contains(f.Reason, errBroken.Error()) || f.Hint == "" {
			t.Errorf("want %d attempts at stage with the reason, got %+v", config.DefaultAttempts, f)
		}
	})
}

func TestRoom_aFullStoreFailsNoDrop(t *testing.T) {
	bubbled(t, Options{}, func(b *bench) {
		var full atomic.Bool
		full.Store(true)
		var tries atomic.Int32
		b.apply = func(_ context.Context, rec asset.Record) (asset.Outcome, error) {
			if tries.Add(1); full.Load() {
				return asset.Outcome{}, fmt.Errorf("link: %w", storage.ErrFull)
			}
			return asset.Outcome{Name: rec.Name, Number: 1}, nil
		}
		for i := range 50 {
			b.drop("in", asset.Key(fmt.Sprint(i)))
		}
		b.room.Set([]Spec{b.spec("in", nil)})
		b.run()
		b.pass(time.Hour)
		if s := b.status("in"); s.Level != Amber || s.State != "waiting" || !strings.Contains(s.Reason, "full") {
			t.Errorf("want it waiting for the store, got %+v", s)
		}
		before := tries.Load()
		if most := int32(time.Hour/config.DefaultMaxBackoff.D()) * 60; before > most {
			t.Errorf("want at most %d tries in an hour, got %d", most, before)
		}
		full.Store(false)
		b.pass(2 * config.DefaultMaxBackoff.D())
		if got := len(b.told(asset.Imported)); got != 50 || len(b.failed) != 0 {
			t.Errorf("want all 50 imported and none failed, got %d and %d; %+v", got, len(b.failed), b.status("in"))
		}
	})
}

func TestRoom_aRejectedDropFailsAtOnce(t *testing.T) {
	bubbled(t, Options{}, func(b *bench) {
		b.apply = func(context.Context, asset.Record) (asset.Outcome, error) {
			return asset.Outcome{Rejected: "the name is taken"}, nil
		}
		b.drop("in", "a")
		b.room.Set([]Spec{b.spec("in", nil)})
		b.run()
		b.want(asset.Retrying)
		b.want(asset.Failed, "in/a")
		if f := b.failed[0]; f.Reason != "the name is taken" || !strings.HasSuffix(f.Rule, ": conflict") || f.Step != stepRemove {
			t.Errorf("want the conflict as the rule, got %+v", f)
		}
	})
}

// slow is a share whose listing takes a millisecond for each file, so that workers keep up with a scan.
type slow struct{ share }

func (s slow) List(ctx context.Context, prefix asset.Key, o storage.ListOptions) iter.Seq2[storage.Object, error] {
	return func(yield func(storage.Object, error) bool) {
		for obj, err := range s.share.List(ctx, prefix, o) {
			time.Sleep(time.Millisecond)
			if !yield(obj, err) {
				return
			}
		}
	}
}

// The queue holds far fewer than lie there, and each needs its quiet time.
func TestRoom_moreUnsettledFilesThanItRemembersAllSettle(t *testing.T) {
	bubbled(t, Options{Queue: 20, Workers: 4}, func(b *bench) {
		b.store = slow{share{Mem: b.mem}}
		for i := range 100 {
			b.drop("in", asset.Key(fmt.Sprint(i)))
		}
		b.room.Set([]Spec{b.spec("in", nil)})
		b.run()
		b.pass(time.Minute)
		if left := b.lying("in"); len(left) != 0 {
			t.Errorf("want all imported within a minute, got %d left; %+v", len(left), b.status("in"))
		}
	})
}

func TestRoom_aDropThatChangesWhileItIsReadIsWalkedAgain(t *testing.T) {
	bubbled(t, Options{}, func(b *bench) {
		b.store = share{Mem: b.mem}
		var once sync.Once
		b.stage = func(ctx context.Context, _ string) (err error) {
			once.Do(func() {
				_, err = b.mem.Put(ctx, "hotfolders/in/a", strings.NewReader("new bytes"), storage.PutOptions{})
			})
			return err
		}
		b.drop("in", "a")
		b.room.Set([]Spec{b.spec("in", nil)})
		b.run()
		b.pass(time.Minute)
		b.want(asset.Imported, "in/a")
		for _, rec := range b.records {
			if rec.Content.Size != int64(len("new bytes")) {
				t.Errorf("want the new bytes only, got %+v", rec)
			}
		}
	})
}

func TestRoom_aDropThatChangesAtTheEndIsANewDrop(t *testing.T) {
	bubbled(t, Options{}, func(b *bench) {
		var once sync.Once
		b.apply = func(ctx context.Context, rec asset.Record) (out asset.Outcome, err error) {
			once.Do(func() {
				_, err = b.mem.Put(ctx, "hotfolders/in/a", strings.NewReader("new bytes"), storage.PutOptions{})
			})
			return asset.Outcome{Name: rec.Name, Number: 1}, err
		}
		b.drop("in", "a")
		b.room.Set([]Spec{b.spec("in", nil)})
		b.run()
		synctest.Wait()
		b.want(asset.Imported, "in/a", "in/a")
		if len(b.records) != 2 || len(b.lying("in")) != 0 {
			t.Errorf("want two records and nothing left, got %d and %v", len(b.records), b.lying("in"))
		}
	})
}

func TestRoom_whatIsKeptIsImportedOnce(t *testing.T) {
	bubbled(t, Options{}, func(b *bench) {
		var stages atomic.Int32
		b.stage = func(context.Context, string) error { stages.Add(1); return nil }
		b.drop("in", "a")
		keep := func(r *config.Rule) { r.After = config.AfterKeep }
		b.room.Set([]Spec{b.spec("in", keep)})
		b.run()
		b.pass(time.Minute)
		b.room.Set([]Spec{b.spec("in", func(r *config.Rule) { keep(r); r.Library = true })}) // forgets what it remembered
		b.pass(time.Minute)
		b.want(asset.Imported, "in/a")
		if stages.Load() != 1 || len(b.lying("in")) != 1 {
			t.Errorf("want it read once and kept, got %d times and %v", stages.Load(), b.lying("in"))
		}
	})
}

func TestRoom_archivesWhatTheRuleArchives(t *testing.T) {
	bubbled(t, Options{}, func(b *bench) {
		b.drop("in", "d/a")
		b.room.Set([]Spec{b.spec("in", func(r *config.Rule) { r.After = config.AfterArchive })})
		b.run()
		b.want(asset.Imported, "in/d/a")
		if _, err := b.mem.Stat(t.Context(), "archive/in/d/a"); err != nil || len(b.lying("in")) != 0 {
			t.Errorf("want it in the archive only, got %v, %v", err, b.lying("in"))
		}
	})
}

func TestRoom_aMarkerGoesWithItsDrop(t *testing.T) {
	bubbled(t, Options{}, func(b *bench) {
		b.store = share{Mem: b.mem}
		b.room.Set([]Spec{b.spec("in", func(r *config.Rule) { r.Complete.DoneMarker = "{name}.done" })})
		b.drop("in", "a", "b")
		b.run()
		b.pass(time.Minute)
		b.want(asset.Imported)
		b.drop("in", "a.done")
		b.pass(time.Minute)
		b.want(asset.Imported, "in/a")
		if left := b.lying("in"); !slices.Equal(left, []asset.Key{"b"}) {
			t.Errorf("want the marker gone with its drop, got %v", left)
		}
	})
}

func TestStatus_aWalkThatHangsIsCalledStalled(t *testing.T) {
	bubbled(t, Options{}, func(b *bench) {
		open := make(gate)
		b.stage = func(ctx context.Context, _ string) error { return open.pass(ctx) }
		b.drop("in", "a\n")
		b.room.Set([]Spec{b.spec("in", nil)})
		b.run()
		if s := b.status("in"); s.Level != Green || s.State != "importing" {
			t.Errorf("want it importing, got %+v", s)
		}
		b.pass(stallAfter + time.Second)
		s := b.status("in")
		if s.Level != Red || s.State != "stalled" || s.Reason != `the store has not answered for 9s (step stage of "a\n")` {
			t.Errorf("want it stalled with step and name, got %+v", s)
		}
		close(open)
		synctest.Wait()
		if s := b.status("in"); s.Level != Green {
			t.Errorf("want all well again, got %+v", s)
		}
	})
}
