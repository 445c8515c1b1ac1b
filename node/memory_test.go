package node

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"hotfolderd/storage"
)

// remembering makes options with a memory, and the store in it that a node worked with once.
func remembering(t *testing.T) (o Options, id string) {
	t.Helper()
	o = options(t, filepath.Join(t.TempDir(), "share"), rule("inbox"))
	o.Memory = filepath.Join(t.TempDir(), "state", "hotfolderd")
	return o, opensOnce(t, o)
}

func opensOnce(t *testing.T, o Options) (id string) {
	t.Helper()
	o.Registry = prometheus.NewRegistry()
	n, err := New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	return n.Area().ID()
}

func refusedAsReplaced(t *testing.T, o Options, say string) {
	t.Helper()
	o.Registry = prometheus.NewRegistry()
	n, err := New(t.Context(), o)
	if err == nil {
		n.Close()
	}
	if !errors.Is(err, ErrReplaced) || !strings.Contains(err.Error(), say) {
		t.Errorf("want ErrReplaced and %q, got %v", say, err)
	}
}

func TestMemory_anEmptyFolderInPlaceOfAKnownStoreIsRefused(t *testing.T) {
	o, id := remembering(t)
	dir := o.Settings.Storage.URL
	if err := os.Rename(dir, dir+"-away"); err != nil {
		t.Fatal(err)
	}
	refusedAsReplaced(t, o, "share is mounted")
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("want no folder made in place of the share, got %v", err)
	}
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	refusedAsReplaced(t, o, "may not be mounted")
	if _, err := os.Stat(filepath.Join(dir, "workarea")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("want no work area made, got %v", err)
	}
	if err := errors.Join(os.RemoveAll(dir), os.Rename(dir+"-away", dir)); err != nil {
		t.Fatal(err)
	}
	if got := opensOnce(t, o); got != id {
		t.Errorf("want the store that is back taken, %s, got %s", id, got)
	}
}

func TestMemory_anotherStoreIsTakenOnlyWhenToldSo(t *testing.T) {
	o, old := remembering(t)
	if err := os.RemoveAll(o.Settings.Storage.URL); err != nil {
		t.Fatal(err)
	}
	other := o
	other.Memory = ""
	id := opensOnce(t, other)
	if id == old {
		t.Fatal("want another store")
	}
	refusedAsReplaced(t, o, "another share")
	told := o
	told.NewStore = true
	if got := opensOnce(t, told); got != id {
		t.Errorf("want %s, got %s", id, got)
	}
	if got := opensOnce(t, o); got != id {
		t.Errorf("want it remembered from then on, %s, got %s", id, got)
	}
}

func TestMemory_keepsTheStoresApartAndNothingElse(t *testing.T) {
	o, first := remembering(t)
	second := o
	second.Settings.Storage.URL = "file://" + filepath.Join(t.TempDir(), "second")
	id := opensOnce(t, second)
	for where, want := range map[string]string{
		o.Settings.Storage.URL: first, "file://" + o.Settings.Storage.URL: first, second.Settings.Storage.URL: id, "/elsewhere": "",
	} {
		if got, err := KnownStore(o.Memory, where); err != nil || got != want {
			t.Errorf("%s: want %q, got %q, %v", where, want, got, err)
		}
	}
	if files, err := os.ReadDir(o.Memory); err != nil || len(files) != 1 {
		t.Errorf("want one file, got %v, %v", files, err)
	}
}

func TestMemory_whatIsTornProtectsNobodyAndStopsNobody(t *testing.T) {
	o, id := remembering(t)
	file := filepath.Join(o.Memory, memoryFile)
	for _, text := range []string{"", "null", "{\"a\": 3}", "[]"} {
		write(t, file, []byte(text))
		if got := opensOnce(t, o); got != id {
			t.Errorf("%q: want %s, got %s", text, id, got)
		}
		data, err := os.ReadFile(file)
		if err != nil || !json.Valid(data) || !strings.Contains(string(data), id) {
			t.Errorf("%q: want the file written anew, got %s, %v", text, data, err)
		}
	}
}

func TestMemory_aFolderThatCannotBeMadeIsNoReasonToStop(t *testing.T) {
	o := options(t, t.TempDir(), rule("inbox"))
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, nil)
	o.Memory = filepath.Join(file, "below")
	opensOnce(t, o)
}

func TestMemory_isNotAskedAboutAnythingButTheIdentity(t *testing.T) {
	o, _ := remembering(t)
	if err := os.Remove(filepath.Join(o.Settings.Storage.URL, "workarea", "store.json")); err != nil {
		t.Fatal(err)
	}
	o.NewStore, o.Registry = true, prometheus.NewRegistry()
	write(t, filepath.Join(o.Settings.Storage.URL, "workarea", "ledger", "ab", "x.json"), []byte("{}"))
	if _, err := New(t.Context(), o); !errors.Is(err, storage.ErrIdentity) || errors.Is(err, ErrReplaced) {
		t.Errorf("want files without an identity refused all the same, got %v", err)
	}
}
