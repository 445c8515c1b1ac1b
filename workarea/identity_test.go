package workarea

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"hotfolderd/asset"
	"hotfolderd/storage"
	"hotfolderd/storage/posix"
)

const identityKey asset.Key = "workarea/store.json"

func TestOpen_nodesThatStartTogetherAgree(t *testing.T) {
	s := folder(t)
	ids := make([]string, 16)
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() {
			a, err := Open(t.Context(), s, Options{})
			if err != nil {
				t.Error(err)
				return
			}
			ids[i] = a.ID()
		})
	}
	wg.Wait()
	for _, id := range ids {
		if id == "" || id != ids[0] {
			t.Fatalf("want one identity, got %q", ids)
		}
	}
	if a := open(t, s); a.ID() != ids[0] {
		t.Errorf("want %s after a restart, got %s", ids[0], a.ID())
	}
}

func TestOpen_placeThatIsNotOurs(t *testing.T) {
	for name, c := range map[string]struct {
		files map[asset.Key]string
		o     Options
		say   string
	}{
		"no identity beside assets":   {map[asset.Key]string{"workarea/assets/ab/cd/x": "bytes"}, Options{}, "mounted in part"},
		"no identity beside a ledger": {map[asset.Key]string{"workarea/ledger/ab/cd/x.json": "{}"}, Options{}, "mounted in part"},
		"empty identity":              {map[asset.Key]string{identityKey: ""}, Options{}, "damaged"},
		"foreign identity":            {map[asset.Key]string{identityKey: `{"hello":"world"}`}, Options{}, "another program"},
		"newer format":                {map[asset.Key]string{identityKey: `{"id":"x","format":2}`}, Options{}, "newer"},
		"another store":               {map[asset.Key]string{identityKey: `{"id":"x","format":1}`}, Options{Expect: "y"}, "another share"},
		"empty mount point":           {nil, Options{Expect: "y"}, "not be mounted"},
	} {
		t.Run(name, func(t *testing.T) {
			s := folder(t)
			for k, text := range c.files {
				put(t, s, k, text)
			}
			before := tree(t, s, asset.Root)
			_, err := Open(t.Context(), s, c.o)
			if !errors.Is(err, storage.ErrIdentity) || !strings.Contains(err.Error(), c.say) {
				t.Errorf("want ErrIdentity and %q, got %v", c.say, err)
			}
			if after := tree(t, s, asset.Root); len(after) != len(before) {
				t.Errorf("want nothing written, got %q", after)
			}
		})
	}
}

func TestOpen_existingNeverMakesAWorkArea(t *testing.T) {
	s := folder(t)
	put(t, s, "hotfolders/inbox/a.jpg", "x")
	if _, err := Open(t.Context(), s, Options{Existing: true}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("want fs.ErrNotExist, got %v", err)
	}
	if got := tree(t, s, DefaultPrefix); len(got) != 0 {
		t.Errorf("want nothing made, got %v", got)
	}
	open(t, s)
	if _, err := Open(t.Context(), s, Options{Existing: true}); err != nil {
		t.Errorf("want one that is there opened, got %v", err)
	}
}

func TestOpen_filesBesideTheWorkAreaAreNoneOfItsBusiness(t *testing.T) {
	s := folder(t)
	put(t, s, "hotfolders/inbox/a.jpg", "x")
	put(t, s, "workarea2/a", "x")
	open(t, s)
}

func TestCheckIdentity_noticesAnotherShare(t *testing.T) {
	dir := t.TempDir()
	s, err := posix.Open(t.Context(), dir, posix.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	a := open(t, s)
	if err := a.CheckIdentity(t.Context()); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "workarea", "store.json")
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for text, say := range map[string]string{
		`{"id":"other","format":1}`: "another share", "": "damaged", "gone": "mount it again",
	} {
		if text == "gone" {
			err = os.Remove(file)
		} else {
			err = os.WriteFile(file, []byte(text), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := a.CheckIdentity(t.Context()); !errors.Is(err, storage.ErrIdentity) || !strings.Contains(err.Error(), say) {
			t.Errorf("%q: want ErrIdentity and %q, got %v", text, say, err)
		}
	}
	if err := os.WriteFile(file, whole, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := a.CheckIdentity(t.Context()); err != nil {
		t.Errorf("want no error when the share is back, got %v", err)
	}
}
