package posix

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"hotfolderd/asset"
	"hotfolderd/storage"
	"hotfolderd/storage/storagetest"
)

func open(t testing.TB) *Store {
	t.Helper()
	s, err := Open(t.Context(), t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func put(t testing.TB, s *Store, key asset.Key, data string, o storage.PutOptions) storage.Object {
	t.Helper()
	obj, err := s.Put(t.Context(), key, bytes.NewReader([]byte(data)), o)
	if err != nil {
		t.Fatal(err)
	}
	return obj
}

func TestRemove_keepsANewerVersion(t *testing.T) {
	s := open(t)
	old := put(t, s, "a/x", "one", storage.PutOptions{})
	put(t, s, "a/x", "second", storage.PutOptions{})
	if err := s.Remove(t.Context(), "a/x", old.Version); !errors.Is(err, storage.ErrChanged) {
		t.Fatalf("want ErrChanged, got %v", err)
	}
	if got := storagetest.Content(t, s, "a/x"); got != "second" {
		t.Fatalf("want the newer bytes, got %q", got)
	}
}

func TestRemove_keepsAFileThatIsBeingWritten(t *testing.T) {
	s := open(t)
	if !s.Properties().SeesWriters {
		t.Fatalf("the test needs a local file system, not %s", s.Properties().Kind)
	}
	obj := put(t, s, "x", "one", storage.PutOptions{})
	w, err := os.OpenFile(filepath.Join(s.Dir(), "x"), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Remove(t.Context(), "x", obj.Version); !errors.Is(err, storage.ErrChanged) {
		t.Fatalf("want ErrChanged while somebody writes, got %v", err)
	}
	if open, known, err := s.Writers(t.Context(), "x", obj.Version); !open || !known || err != nil {
		t.Fatalf("want an open writer, got %v %v %v", open, known, err)
	}
	w.Close()
	if err := s.Remove(t.Context(), "x", obj.Version); err != nil {
		t.Fatal(err)
	}
}

func TestOpen_putsBackWhatADeadProcessHadSetAside(t *testing.T) {
	dir := t.TempDir()
	dead := filepath.Join(dir, string(Private), "DEADBOOT", "aside", "in")
	if err := os.MkdirAll(dead, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "in"), 0o777); err != nil {
		t.Fatal(err)
	}
	for path, data := range map[string]string{
		filepath.Join(dead, "a.jpg"):      "aside a",
		filepath.Join(dead, "b.jpg"):      "aside b",
		filepath.Join(dir, "in", "b.jpg"): "new b",
	} {
		if err := os.WriteFile(path, []byte(data), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	s, err := Open(t.Context(), dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for key, want := range map[asset.Key]string{
		"in/a.jpg": "aside a", "in/b.jpg": "new b", "in/b (restored 2).jpg": "aside b",
	} {
		if got := storagetest.Content(t, s, key); got != want {
			t.Errorf("%s: want %q, got %q", key, want, got)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, string(Private), "DEADBOOT")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("want the dead process's folder gone, got %v", err)
	}
}

func TestSync_manyAtOnceShareTheWork(t *testing.T) {
	s := open(t)
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			key := asset.Key([]byte{'a' + byte(i%26)}).Join(asset.Key([]byte{'0' + byte(i%10)})).Join(asset.Key(rune('A' + i)))
			if _, err := s.Put(t.Context(), key, bytes.NewReader([]byte("x")), storage.PutOptions{IfAbsent: true}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// A nil pointer in an interface is not nil: whoever asks "is there something to discard?" would call it and die.
func TestStage_givesNothingWithAnError(t *testing.T) {
	s := open(t)
	if err := os.RemoveAll(filepath.Join(s.Dir(), string(s.boot.key), tmpName)); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Stage(t.Context()); err == nil || got != nil {
		t.Errorf("want nothing and an error, got %v, %v", got, err)
	}
}
