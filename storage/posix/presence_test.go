package posix

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hotfolderd/storage"
)

// away renames a folder and puts an empty one in its place, as an unmount does.
func away(t *testing.T, dir string) (back func()) {
	t.Helper()
	if err := errors.Join(os.Rename(dir, dir+".away"), os.Mkdir(dir, 0o777)); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := errors.Join(os.RemoveAll(dir), os.Rename(dir+".away", dir)); err != nil {
			t.Fatal(err)
		}
	}
}

func openIn(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(t.Context(), dir, Options{Create: true, Remote: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestAsk_anEmptyFolderInPlaceOfTheShareIsNotTheStore(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "share")
	s := openIn(t, dir)
	if err := s.Ask(t.Context()); err != nil {
		t.Fatal(err)
	}
	back := away(t, dir)
	if err := s.Ask(t.Context()); !errors.Is(err, storage.ErrIdentity) || !strings.Contains(err.Error(), "mounted") {
		t.Errorf("want it said that the share may not be mounted, got %v", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("want nothing made in the empty folder, got %v, %v", entries, err)
	}
	back()
	if err := s.Ask(t.Context()); err != nil {
		t.Errorf("want it right when the share is back, got %v", err)
	}
}

func TestAsk_noFolderAtAllIsNotTheStore(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "share")
	s := openIn(t, dir)
	if err := os.Rename(dir, dir+".away"); err != nil {
		t.Fatal(err)
	}
	if err := s.Ask(t.Context()); !errors.Is(err, storage.ErrIdentity) {
		t.Errorf("want it refused, got %v", err)
	}
	if err := os.Rename(dir+".away", dir); err != nil {
		t.Fatal(err)
	}
}

// TestAsk_goesOnInTheSameStoreThatWasMountedAnew has a copy of the store in its place, which has the same files and other inodes.
func TestAsk_goesOnInTheSameStoreThatWasMountedAnew(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "share")
	s := openIn(t, dir)
	if err := os.Rename(dir, dir+".away"); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(dir, os.DirFS(dir+".away")); err != nil {
		t.Fatal(err)
	}
	if err := s.Ask(t.Context()); err != nil {
		t.Fatalf("want it taken, got %v", err)
	}
	if _, err := s.Put(t.Context(), "a/b", strings.NewReader("new"), storage.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "a/b")); string(got) != "new" {
		t.Errorf("want it written into what is mounted now, got %q, %v", got, err)
	}
	if o, err := s.Stat(t.Context(), "a"); err != nil || o.Kind != storage.Directory {
		t.Errorf("want a folder, got %v, %v", o.Kind, err)
	}
}
