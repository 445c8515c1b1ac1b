package node

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// oldDays writes a batch into the journal's folders of three days and returns their files, the oldest first.
func oldDays(t *testing.T, dir string) (files []string) {
	t.Helper()
	for _, age := range []int{400, 91, 89} {
		day := time.Now().UTC().AddDate(0, 0, -age).Format(time.DateOnly)
		files = append(files, filepath.Join(dir, "workarea", "journal", day, "n-1.jsonl"))
		write(t, files[len(files)-1], []byte("{}\n"))
	}
	return files
}

func isThere(file string) bool {
	_, err := os.Stat(file)
	return !errors.Is(err, fs.ErrNotExist)
}

func TestPrune_removesOldDaysOfTheJournalAtTheStart(t *testing.T) {
	dir := t.TempDir()
	start(t, options(t, dir, rule("inbox"))).end()
	files := oldDays(t, dir)
	start(t, options(t, dir, rule("inbox")))
	within(t, 10*time.Second, "the old days gone", func() bool { return !isThere(files[0]) && !isThere(files[1]) })
	if !isThere(files[2]) {
		t.Error("want the day that is not old enough kept")
	}
}

func TestPrune_keepsEverythingWhenToldSo(t *testing.T) {
	dir := t.TempDir()
	o := options(t, dir, rule("inbox"))
	o.Settings.Storage.JournalDays = 0
	r := start(t, o)
	files := oldDays(t, dir)
	r.pruneJournal(t.Context()) // it returns at once
	for _, f := range files {
		if !isThere(f) {
			t.Errorf("%s is gone", f)
		}
	}
}

func TestPrune_leavesAForeignStoreAlone(t *testing.T) {
	dir := t.TempDir()
	r := start(t, options(t, dir, rule("inbox")))
	write(t, filepath.Join(dir, "workarea", "store.json"), []byte(`{"id":"other","format":1}`))
	files := oldDays(t, dir)
	r.pruneOnce(t.Context())
	for _, f := range files {
		if !isThere(f) {
			t.Errorf("%s is gone", f)
		}
	}
}
