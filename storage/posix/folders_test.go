package posix

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestFolders_areRemovedWhenEmptyAndMovedWhole(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(t.Context(), dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, key := range []string{"a/b", "taken"} {
		if err := os.MkdirAll(filepath.Join(dir, key), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "a/b/file"), []byte("x"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := s.RemoveFolder(t.Context(), "a/b"); err == nil {
		t.Error("a folder that holds a file was removed")
	}
	if err := s.RemoveFolder(t.Context(), "a/b/file"); err == nil {
		t.Error("a file was removed as a folder")
	}
	if err := s.MoveFolder(t.Context(), "a/b", "taken"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("want the taken name refused, got %v", err)
	}
	if err := s.MoveFolder(t.Context(), "a/b", "c/d"); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "c/d/file")); err != nil {
		t.Error(err)
	}
	if err := s.RemoveFolder(t.Context(), "a"); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "a")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("want it gone, got %v", err)
	}
}
