package posix

import (
	"errors"
	"strings"
	"testing"
	"time"

	"hotfolderd/storage"
)

func TestSetTime_makesAnotherVersion(t *testing.T) {
	s, err := Open(t.Context(), t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	was, err := s.Put(t.Context(), "a/b", strings.NewReader("x"), storage.PutOptions{})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2002, 7, 17, 21, 7, 15, 250e6, time.UTC)
	dated, err := s.SetTime(t.Context(), was, at)
	if err != nil || !dated.ModTime.Equal(at) || dated.Version == was.Version {
		t.Errorf("want the time and another version, got %+v, %v", dated, err)
	}
	if now, err := s.Stat(t.Context(), "a/b"); err != nil || now.Version != dated.Version {
		t.Errorf("want %s there, got %s, %v", dated.Version, now.Version, err)
	}
	if _, err := s.SetTime(t.Context(), was, at.Add(time.Hour)); !errors.Is(err, storage.ErrChanged) {
		t.Errorf("want what was changed refused, got %v", err)
	}
}
