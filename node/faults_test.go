package node

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"hotfolderd/asset"
	"hotfolderd/config"
	"hotfolderd/hotfolder"
	"hotfolderd/storage"
	"hotfolderd/storage/storagetest"
)

// faulty makes options whose stores fail as told; the map finds the fault of a store by the last part of its folder.
func faulty(t *testing.T, o Options) (Options, map[string]*storagetest.Fault) {
	t.Helper()
	faults := map[string]*storagetest.Fault{}
	o.Wrap = func(s storage.Store) storage.Store {
		f := storagetest.NewFault(s)
		faults[filepath.Base(strings.TrimPrefix(s.Properties().URL, "file://"))] = f
		t.Cleanup(f.Clear)
		return f
	}
	return o, faults
}

func impatient(r *config.Rule) {
	r.Retry = config.Retry{Attempts: 3, Backoff: config.Duration(5 * time.Millisecond), MaxBackoff: config.Duration(50 * time.Millisecond)}
}

func (r *running) status(name string) hotfolder.Status {
	for _, s := range r.room.Status() {
		if s.Hotfolder == name {
			return s
		}
	}
	return noStatus
}

var noStatus hotfolder.Status

func TestFault_onceAtEveryOperationOnTheStoreIsSurvived(t *testing.T) {
	ops := countOps(t, rule("inbox", withThumbnails, withLibrary))
	for _, cause := range []error{syscall.EIO, fmt.Errorf("%w: %w", storage.ErrFull, syscall.ENOSPC)} {
		for _, when := range []storagetest.When{storagetest.Before, storagetest.After} {
			for nth := range ops {
				t.Run(fmt.Sprintf("%v/%d/%d", cause, when, nth), func(t *testing.T) {
					t.Parallel()
					dir := filepath.Join(t.TempDir(), "main")
					drop := filepath.Join(dir, "hotfolders", "inbox", "sub", "a.jpg")
					write(t, drop, crashDrop)
					o, faults := faulty(t, options(t, dir, rule("inbox", impatient, withThumbnails, withLibrary)))
					armed := false
					o.Step = func(string, string, asset.Key) {
						if !armed {
							armed = true
							faults["main"].Inject(storagetest.Rule{After: nth, Times: 1, When: when, Err: cause})
						}
					}
					r := start(t, o)
					r.expect("sub/a.jpg", crashDrop)
					checkNothingHalf(t, dir, drop)
					if _, number, err := r.Area().Current(t.Context(), "inbox/sub/a.jpg"); err != nil || number != 1 {
						t.Errorf("want version 1, got %d, %v", number, err)
					}
					if got := len(records(t, r.stores.all["file://"+dir])); got != 1 {
						t.Errorf("want one record, got %d", got)
					}
				})
			}
		}
	}
}

func TestFault_aPoisonedDropEndsInFailedWithItsReason(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "main")
	o, faults := faulty(t, options(t, dir, rule("inbox", impatient)))
	r := start(t, o)
	faults["main"].Inject(storagetest.Rule{Op: storagetest.OpRead, Match: storagetest.Glob("hotfolders/inbox/bad.jpg"), Err: syscall.EIO})
	bad, good := jpeg(5000, 1), jpeg(5000, 2)
	write(t, r.inbox("bad.jpg"), bad)
	write(t, r.inbox("good.jpg"), good)
	r.expect("good.jpg", good)
	within(t, 20*time.Second, "bad.jpg in failed/", func() bool { return r.status("inbox").Counts.Failed == 1 })
	for f, err := range r.Area().Failures(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if f.Attempts != 3 || !strings.Contains(f.Reason, "input/output error") || f.Hint == "" {
			t.Errorf("want 3 attempts and a reason, got %+v", f)
		}
		faults["main"].Clear()
		if k, err := r.Retry(t.Context(), f.ID); err != nil || k != "bad.jpg" {
			t.Fatal(k, err)
		}
	}
	r.expect("bad.jpg", bad)
}

func TestFault_aBrokenStoreFailsNoDrop(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "main")
	o, faults := faulty(t, options(t, dir, rule("inbox", impatient)))
	r := start(t, o)
	lift := faults["main"].Inject(storagetest.Rule{Op: storagetest.OpFlush, Err: syscall.EIO})
	const n = 60
	for i := range n {
		write(t, r.inbox(fmt.Sprintf("%d.jpg", i)), jpeg(3000, uint64(i)))
	}
	within(t, 20*time.Second, "amber", func() bool {
		s := r.status("inbox")
		return s.Level == hotfolder.Amber && strings.Contains(s.Reason, "input/output error")
	})
	lift()
	within(t, 30*time.Second, "all imported once the store works again", func() bool { return r.status("inbox").Counts.Imported >= n-hotfolderPoison })
	if got := r.status("inbox").Counts.Failed; got > hotfolderPoison {
		t.Errorf("want at most %d drops in failed/ before the outage was seen, got %d", hotfolderPoison, got)
	}
}

// hotfolderPoison is how many drops may be taken for poisoned before an outage is seen.
const hotfolderPoison = 0

func TestFault_aFullDiskWaitsAndGoesOn(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "main")
	o, faults := faulty(t, options(t, dir, rule("inbox", impatient)))
	r := start(t, o)
	lift := faults["main"].Inject(storagetest.Rule{Op: storagetest.OpWrite, Err: fmt.Errorf("%w: %w", storage.ErrFull, syscall.ENOSPC)})
	data := jpeg(3000, 1)
	write(t, r.inbox("a.jpg"), data)
	within(t, 10*time.Second, "the status says full", func() bool { return strings.Contains(r.status("inbox").Reason, "full") })
	within(t, 10*time.Second, "many attempts", func() bool { return faults["main"].Count(storagetest.OpStage) > 6 })
	if _, err := os.Stat(r.inbox("a.jpg")); err != nil {
		t.Errorf("want the drop left where it is: %v", err)
	}
	lift()
	r.expect("a.jpg", data)
}

func TestFault_aHangingStoreTurnsRedAndHoldsUpNobody(t *testing.T) {
	base := t.TempDir()
	dir, share := filepath.Join(base, "main"), filepath.Join(base, "share")
	if err := os.MkdirAll(share, 0o777); err != nil {
		t.Fatal(err)
	}
	o, faults := faulty(t, options(t, dir, rule("inbox"), rule("share", func(r *config.Rule) { r.Path = "file://" + share })))
	o.Settings.Node.Roles = append(o.Settings.Node.Roles, config.RoleWeb)
	o.Settings.HTTP.Listen = "127.0.0.1:0"
	r := start(t, o)
	within(t, 5*time.Second, "running", func() bool { return r.status("share").Watching != "" })
	faults["share"].Inject(storagetest.Rule{Op: storagetest.OpRead, Hang: true})
	for i := range 200 {
		write(t, filepath.Join(share, fmt.Sprintf("%d.jpg", i)), jpeg(3000, uint64(i)))
	}
	begin := time.Now()
	for i := 0; r.status("share").Level != hotfolder.Red; i++ {
		data := jpeg(3000, uint64(1000+i))
		name := fmt.Sprintf("%d.jpg", i)
		write(t, r.inbox(name), data)
		dropped := time.Now()
		r.expect(name, data)
		if took := time.Since(dropped); took > 5*time.Second {
			t.Errorf("want the other hotfolder quick, %s took %s", name, took)
		}
		asked := time.Now()
		resp, err := http.Get("http://" + r.Addr() + "/v1/hotfolders")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if took := time.Since(asked); took > 2*time.Second {
			t.Errorf("want the page quick, it took %s", took)
		}
		if time.Since(begin) > 10*time.Second {
			t.Fatal("the hanging hotfolder is not red within 10 s")
		}
		time.Sleep(50 * time.Millisecond)
	}
	faults["share"].Clear()
	within(t, 20*time.Second, "everything imported when the store is back", func() bool { return r.status("share").Counts.Imported == 200 })
	if s := r.status("share"); s.Level != hotfolder.Green {
		t.Errorf("want green again, got %s: %s", s.Level, s.Reason)
	}
}

func TestFault_aStoreThatIsNotTheOneAnyMoreStopsImports(t *testing.T) {
	dir := t.TempDir()
	r := start(t, options(t, dir, rule("inbox")))
	id := filepath.Join(dir, "workarea", "store.json")
	within(t, 5*time.Second, "running", func() bool { return r.status("inbox").Watching != "" })
	if err := os.Rename(id, id+".away"); err != nil {
		t.Fatal(err)
	}
	within(t, 10*time.Second, "halted", func() bool { return r.status("inbox").State == "halted" })
	data := jpeg(3000, 1)
	write(t, r.inbox("a.jpg"), data)
	time.Sleep(300 * time.Millisecond) // nothing must happen in this time; there is nothing to wait for
	if _, err := os.Stat(r.inbox("a.jpg")); err != nil {
		t.Errorf("want the drop untouched: %v", err)
	}
	if err := os.Rename(id+".away", id); err != nil {
		t.Fatal(err)
	}
	r.expect("a.jpg", data)
}

func TestNew_refusesAStoreWhoseIdentityIsMissing(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "workarea", "ledger", "ab", "cd", "x.json"), []byte("{}"))
	_, err := New(t.Context(), options(t, dir, rule("inbox")))
	if err == nil || !strings.Contains(err.Error(), "mount") {
		t.Errorf("want a refusal that speaks of the mount, got %v", err)
	}
}

func TestRun_endsAlthoughAStoreHangs(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "main")
	o, faults := faulty(t, options(t, dir, rule("inbox")))
	n, err := New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	faults["main"].Inject(storagetest.Rule{Op: storagetest.OpRead, Hang: true, Deaf: true})
	write(t, filepath.Join(dir, "hotfolders", "inbox", "a.jpg"), jpeg(3000, 1))
	within(t, 10*time.Second, "hanging", func() bool { return faults["main"].Fired() > 0 })
	cancel()
	select {
	case err := <-done:
		if !errors.Is(err, ErrHung) {
			t.Errorf("want ErrHung, got %v", err)
		}
	case <-time.After(closeTime + 20*time.Second):
		t.Error("the node waits for the hanging store for ever")
	}
	faults["main"].Clear()
	<-n.ended
}
