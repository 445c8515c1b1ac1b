package workarea

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func TestPauses_areSeenByEveryNodeOfTheStore(t *testing.T) {
	s := folder(t)
	a, b := open(t, s), open(t, s)
	paused := func(x *Area) map[string]Pause {
		t.Helper()
		all, err := x.Pauses(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	if got := paused(a); len(got) != 0 {
		t.Errorf("want none yet, got %v", got)
	}
	for range 2 { // it may be repeated
		for _, hotfolder := range []string{"inbox", "other"} {
			if err := a.SetPaused(t.Context(), hotfolder, true); err != nil {
				t.Fatal(err)
			}
		}
	}
	got := paused(b)
	if p := got["inbox"]; len(got) != 2 || p.Hotfolder != "inbox" || p.Node != "node-a" || time.Since(p.Since) > time.Minute {
		t.Errorf("want two, with who and when, got %+v", got)
	}
	for range 2 {
		if err := b.SetPaused(t.Context(), "inbox", false); err != nil {
			t.Fatal(err)
		}
	}
	if names := slices.Collect(maps.Keys(paused(a))); !slices.Equal(names, []string{"other"}) {
		t.Errorf("want only the other one, got %v", names)
	}
}

// Somebody made the note by hand, or half of it is lost: what is to stay paused must not start.
func TestPauses_aNoteThatCannotBeReadIsOne(t *testing.T) {
	s := folder(t)
	a := open(t, s)
	dir := filepath.Join(s.Dir(), "workarea", "paused")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"inbox.json": "{", "other.txt": "{}"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	got, err := a.Pauses(t.Context())
	if p := got["inbox"]; err != nil || len(got) != 1 || p.Hotfolder != "inbox" {
		t.Errorf("want the inbox paused, got %+v, %v", got, err)
	}
}

func TestPauses_aNameWithASlashIsRefused(t *testing.T) {
	if err := open(t, folder(t)).SetPaused(t.Context(), "../x", true); err == nil {
		t.Error("want an error")
	}
}
