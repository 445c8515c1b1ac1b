package node

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hotfolderd/asset"
	"hotfolderd/config"
	"hotfolderd/hotfolder"
)

func conflict(c asset.Conflict) func(*config.Rule) { return func(r *config.Rule) { r.Conflict = c } }

// dropTwice imports two contents under one name, one after the other.
func dropTwice(t *testing.T, c asset.Conflict) (r *running, first, second []byte) {
	r = start(t, options(t, t.TempDir(), rule("inbox", conflict(c))))
	first, second = jpeg(3000, 1), jpeg(4000, 2)
	write(t, r.inbox("a.jpg"), first)
	r.expect("a.jpg", first)
	write(t, r.inbox("a.jpg"), second)
	within(t, 10*time.Second, "the second drop is gone", func() bool {
		_, err := os.Lstat(r.inbox("a.jpg"))
		return errors.Is(err, fs.ErrNotExist)
	})
	within(t, 10*time.Second, "its walk ended", func() bool { s := r.status("inbox"); return s.InHand == 0 && s.Ready == 0 })
	return r, first, second
}

func (r *running) number(name asset.Key) int {
	_, n, err := r.Area().Current(r.t.Context(), name)
	if err != nil {
		return 0
	}
	return n
}

func TestConflict_versionKeepsBoth(t *testing.T) {
	r, _, second := dropTwice(t, asset.ConflictVersion)
	if got := imported(t, r.Area(), "inbox/a.jpg"); !bytes.Equal(got, second) || r.number("inbox/a.jpg") != 2 {
		t.Errorf("want the second content as version 2, got %d bytes as %d", len(got), r.number("inbox/a.jpg"))
	}
}

func TestConflict_skipKeepsTheFirstAndLosesNothing(t *testing.T) {
	r, first, second := dropTwice(t, asset.ConflictSkip)
	if got := imported(t, r.Area(), "inbox/a.jpg"); !bytes.Equal(got, first) {
		t.Errorf("want the first content under the name, got %d bytes", len(got))
	}
	if got := assetBytes(t, r.Area(), sum(second)); !bytes.Equal(got, second) {
		t.Error("want the skipped bytes reachable by their hash")
	}
	if got := r.status("inbox").Counts.Skipped; got != 1 {
		t.Errorf("want one skipped, got %d", got)
	}
}

func TestConflict_renameFindsAFreeName(t *testing.T) {
	r, first, second := dropTwice(t, asset.ConflictRename)
	if got := imported(t, r.Area(), "inbox/a.jpg"); !bytes.Equal(got, first) {
		t.Errorf("want the first content under the name, got %d bytes", len(got))
	}
	if got := imported(t, r.Area(), "inbox/a (2).jpg"); !bytes.Equal(got, second) {
		t.Errorf("want the second content beside it, got %d bytes", len(got))
	}
}

func TestConflict_rejectMovesTheDropToFailed(t *testing.T) {
	r, first, second := dropTwice(t, asset.ConflictReject)
	if got := imported(t, r.Area(), "inbox/a.jpg"); !bytes.Equal(got, first) {
		t.Errorf("want the first content under the name, got %d bytes", len(got))
	}
	within(t, 10*time.Second, "failed", func() bool { return r.status("inbox").Counts.Failed == 1 })
	if got, err := os.ReadFile(filepath.Join(r.dir, "workarea", "failed", "inbox", "a.jpg")); !bytes.Equal(got, second) {
		t.Errorf("want the drop whole in failed/, got %d bytes, %v", len(got), err)
	}
}

func TestConflict_replaceLeavesOneVersion(t *testing.T) {
	r, _, second := dropTwice(t, asset.ConflictReplace)
	if got := imported(t, r.Area(), "inbox/a.jpg"); !bytes.Equal(got, second) {
		t.Errorf("want the second content, got %d bytes", len(got))
	}
	count := 0
	for _, err := range r.Area().Versions(t.Context(), "inbox/a.jpg") {
		if err != nil {
			t.Fatal(err)
		}
		count++
	}
	if count != 1 {
		t.Errorf("want one version left, got %d", count)
	}
}

func TestAfter_keepLeavesTheDropAndImportsItOnceOverRestarts(t *testing.T) {
	dir := t.TempDir()
	data := jpeg(3000, 1)
	for range 3 {
		r := start(t, options(t, dir, rule("inbox", kept)))
		if _, err := os.Stat(r.inbox("a.jpg")); err != nil {
			write(t, r.inbox("a.jpg"), data)
		}
		within(t, 10*time.Second, "imported", func() bool { return bytes.Equal(imported(t, r.Area(), "inbox/a.jpg"), data) })
		within(t, 10*time.Second, "idle", func() bool { s := r.status("inbox"); return s.Ready+s.Settling+s.InHand == 0 && !s.LastScan.IsZero() })
		if n := r.number("inbox/a.jpg"); n != 1 {
			t.Errorf("want version 1, got %d", n)
		}
		r.end()
	}
	if _, err := os.Stat(filepath.Join(dir, "hotfolders", "inbox", "a.jpg")); err != nil {
		t.Errorf("want the drop kept: %v", err)
	}
}

func TestAfter_archiveMovesTheDrop(t *testing.T) {
	r := start(t, options(t, t.TempDir(), rule("inbox", archived)))
	data := jpeg(3000, 1)
	write(t, r.inbox("sub/a.jpg"), data)
	r.expect("sub/a.jpg", data)
	day := time.Now().UTC().Format(time.DateOnly)
	within(t, 5*time.Second, "it is in the archive", func() bool { // a moment after it left the hotfolder
		got, err := os.ReadFile(filepath.Join(r.dir, "workarea", "archive", "inbox", day, "sub", "a.jpg"))
		return err == nil && bytes.Equal(got, data)
	})
}

func TestComplete_doneMarkerReleasesTheDropAndGoesWithIt(t *testing.T) {
	r := start(t, options(t, t.TempDir(), rule("inbox", func(r *config.Rule) { r.Complete.DoneMarker = "{name}.done" })))
	data := jpeg(3000, 1)
	write(t, r.inbox("a.jpg"), data)
	within(t, 10*time.Second, "seen and waiting", func() bool { return r.status("inbox").Settling == 1 })
	time.Sleep(400 * time.Millisecond) // longer than settle: it must still wait
	if imported(t, r.Area(), "inbox/a.jpg") != nil {
		t.Error("imported without its marker")
	}
	write(t, r.inbox("a.jpg.done"), nil)
	r.expect("a.jpg", data)
	within(t, 5*time.Second, "the marker is gone too", func() bool { return isEmpty(r.inbox("")) })
}

func TestMatch_whatIsTooLargeOrEmptyFailsWithTheRulesKey(t *testing.T) {
	r := start(t, options(t, t.TempDir(), rule("inbox", func(r *config.Rule) { r.Match.MaxSize = 1000 })))
	write(t, r.inbox("big.jpg"), jpeg(3000, 1))
	write(t, r.inbox("empty.jpg"), nil)
	within(t, 10*time.Second, "both failed", func() bool { return r.status("inbox").Counts.Failed == 2 })
	want := map[asset.Key]string{"big.jpg": "match.max_size", "empty.jpg": "match.empty"}
	for f, err := range r.Area().Failures(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(f.Rule, want[f.Key]) || f.Reason == "" || f.Hint == "" {
			t.Errorf("%s: want %s named, got %+v", f.Key, want[f.Key], f)
		}
	}
}

func TestWatch_filesInNewFoldersAreFoundAtOnce(t *testing.T) {
	r := start(t, options(t, t.TempDir(), rule("inbox")))
	within(t, 5*time.Second, "watching", func() bool { return r.status("inbox").Watching == "events" })
	for i := range 20 {
		name := fmt.Sprintf("d%d/e/f/%d.jpg", i, i)
		data := jpeg(2000, uint64(i))
		dropped := time.Now()
		write(t, r.inbox(name), data)
		r.expect(name, data)
		if took := time.Since(dropped); took > 5*time.Second {
			t.Errorf("%s took %s: found by the next scan, not by its event", name, took)
		}
	}
}

func TestWatch_aHotfolderThatIsMovedAwayAndMadeAgainIsWatchedAgain(t *testing.T) {
	r := start(t, options(t, t.TempDir(), rule("inbox")))
	within(t, 5*time.Second, "watching", func() bool { return r.status("inbox").Watching == "events" })
	if err := os.Rename(r.inbox(""), r.inbox("")+"-away"); err != nil {
		t.Fatal(err)
	}
	within(t, 15*time.Second, "red while it is missing", func() bool { return r.status("inbox").Level == hotfolder.Red })
	data := jpeg(2000, 1)
	write(t, r.inbox("a.jpg"), data)
	r.expect("a.jpg", data)
}

func TestRoom_aDropIsImportedWithinASecondWhileManyWaitElsewhere(t *testing.T) {
	dir := t.TempDir()
	const many = 10_000
	for i := range many {
		write(t, filepath.Join(dir, "hotfolders", "a", fmt.Sprint(i)+".jpg"), jpeg(1000, uint64(i)))
	}
	r := start(t, options(t, dir, rule("a"), rule("inbox")))
	within(t, 20*time.Second, "a is being imported", func() bool { return r.status("a").Counts.Imported > 100 })
	for i := 0; r.status("a").Counts.Imported < many/2 && i < 10; i++ {
		data := jpeg(2000, uint64(i))
		name := fmt.Sprintf("b%d.jpg", i)
		dropped := time.Now()
		write(t, r.inbox(name), data)
		r.expect(name, data)
		t.Logf("imported in %s", time.Since(dropped))
		if took := time.Since(dropped); took > 5*time.Second {
			t.Errorf("%s waited %s behind the other hotfolder", name, took)
		}
	}
	if r.status("a").Counts.Imported == many {
		t.Error("the other hotfolder was done before the drops came: the test says nothing")
	}
}

func TestComplete_aFileWhoseFormatHasNoEndYetIsWaitedForPatiently(t *testing.T) {
	r := start(t, options(t, t.TempDir(), rule("inbox", func(r *config.Rule) { r.Complete.Patience = config.Duration(time.Minute) })))
	data := jpeg(30_000, 1)
	write(t, r.inbox("a.jpg"), data[:20_000])
	within(t, 5*time.Second, "seen", func() bool { return r.status("inbox").Settling == 1 })
	time.Sleep(900 * time.Millisecond) // three times settle: a stalled upload must not be taken
	if imported(t, r.Area(), "inbox/a.jpg") != nil {
		t.Fatal("half a JPEG was imported after settle")
	}
	f, err := os.OpenFile(r.inbox("a.jpg"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(data[20_000:]); err != nil {
		t.Fatal(err)
	}
	f.Close()
	r.expect("a.jpg", data)
	if n := r.number("inbox/a.jpg"); n != 1 {
		t.Errorf("want version 1, got %d", n)
	}
}

func TestMatch_emptyFilesCanBeLeftAlone(t *testing.T) {
	r := start(t, options(t, t.TempDir(), rule("inbox", func(r *config.Rule) { r.Match.Empty = "ignore" })))
	write(t, r.inbox("empty.jpg"), nil)
	data := jpeg(2000, 1)
	write(t, r.inbox("a.jpg"), data)
	r.expect("a.jpg", data)
	within(t, 10*time.Second, "the empty one was looked at", func() bool { s := r.status("inbox"); return s.Ready+s.Settling+s.InHand == 0 })
	if _, err := os.Stat(r.inbox("empty.jpg")); err != nil {
		t.Errorf("want it left where it is: %v", err)
	}
	write(t, r.inbox("empty.jpg"), data)
	r.expect("empty.jpg", data)
}
