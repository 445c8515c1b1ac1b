package posix_test

import (
	"os"
	"path/filepath"
	"testing"

	"hotfolderd/asset"
	"hotfolderd/storage"
	"hotfolderd/storage/posix"
	"hotfolderd/storage/storagetest"
)

func opened(t *testing.T, dir string, o posix.Options) storage.Store {
	t.Helper()
	s, err := posix.Open(t.Context(), dir, o)
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

// fill makes many small files without waiting for the disk.
func fill(t *testing.T, s storage.Store, keys []asset.Key) {
	t.Helper()
	for _, key := range keys {
		path := filepath.Join(s.(*posix.Store).Dir(), string(key))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(key), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

func TestStore_keepsTheContract(t *testing.T) {
	for name, o := range map[string]posix.Options{"local": {}, "as on a share": {Remote: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storagetest.Run(t, func(t *testing.T) storage.Store { return opened(t, t.TempDir(), o) }, storagetest.Options{
				Reopen: func(t *testing.T, s storage.Store) storage.Store { return opened(t, s.(*posix.Store).Dir(), o) },
				Fill:   fill,
			})
		})
	}
}

func TestStore_isNotFooledByLinksAndDevices(t *testing.T) {
	storagetest.RunPosix(t, func(t *testing.T, dir string) storage.Store { return opened(t, dir, posix.Options{}) })
}
