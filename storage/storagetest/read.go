package storagetest

import (
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"
	"time"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

var readCases = []aCase{
	{"Stat_tellsTheKind", statKinds},
	{"Stat_changedIsByTheStoresClock", statChanged},
	{"Missing_isErrNotExistEverywhere", missing},
	{"Open_atAVersion", openVersion},
	{"Open_directoryIsRefused", openDirectory},
	{"Reader_readsAnywhere", readerReadAt},
	{"Reader_checkSeesReplaceAndRemoval", readerCheck},
	{"Reader_neverMixesTwoContents", readerNeverMixes},
}

func statKinds(t *testing.T, s *suite) {
	obj := s.put(t, "storagetest/dir/file", "12345")
	for _, dir := range []asset.Key{asset.Root, "storagetest", "storagetest/dir"} {
		if s.Properties().Flat && dir != asset.Root {
			_, err := s.Stat(t.Context(), dir)
			wantErr(t, "stat a folder of a flat store", fs.ErrNotExist, err)
			continue
		}
		if got := s.stat(t, dir); got.Kind != storage.Directory || got.Version != "" || got.Key != dir {
			t.Fatalf("stat %s: want a directory without version, got %+v", dir.Quoted(), got)
		}
	}
	got := s.stat(t, "storagetest/dir/file")
	if got.Kind != storage.Regular || got.Size != 5 || got.Version != obj.Version || got.Key != obj.Key {
		t.Fatalf("stat: want %+v, got %+v", obj, got)
	}
	if again := s.stat(t, "storagetest/dir/file"); again.Version != got.Version {
		t.Fatalf("the version changed from %q to %q by looking", got.Version, again.Version)
	}
	seen, err := s.other.Stat(t.Context(), obj.Key)
	must(t, "stat on the other node", err)
	if seen.Version != got.Version {
		t.Fatalf("two nodes see the versions %q and %q of one content", got.Version, seen.Version)
	}
}

func statChanged(t *testing.T, s *suite) {
	s.put(t, "storagetest/a", "a")
	first := s.stat(t, "storagetest/a").Changed
	if first.IsZero() || s.stat(t, "storagetest/a").ModTime.IsZero() {
		t.Fatal("a file has no times")
	}
	s.put(t, "storagetest/b", "b")
	if second := s.stat(t, "storagetest/b").Changed; second.Before(first) {
		t.Fatalf("a later file changed at %v, before the earlier at %v", second, first)
	}
	if far := time.Since(first).Abs(); far > time.Hour {
		t.Fatalf("the store's clock is %v away: %v", far, first)
	}
}

// missing asks for nothing in each way: an absent key, an absent folder, and a key below a file.
func missing(t *testing.T, s *suite) {
	file := s.put(t, "storagetest/file", "x")
	for _, key := range []asset.Key{"storagetest/absent", "storagetest/absent/deep", "storagetest/file/below"} {
		s.wantAbsent(t, key)
		if _, err := s.Stat(t.Context(), key); !s.Properties().Flat {
			if got, want := errors.Is(err, storage.ErrNoFolder), key != "storagetest/absent"; got != want {
				t.Errorf("stat %s: want ErrNoFolder %v, got %v", key.Quoted(), want, err)
			}
		}
		gone := storage.Object{Key: key, Version: file.Version, Size: file.Size}
		_, err := s.Copy(t.Context(), gone, "storagetest/copy", storage.PutOptions{})
		wantErr(t, "copy "+key.Quoted(), fs.ErrNotExist, err)
		_, err = s.Move(t.Context(), gone, "storagetest/move", storage.PutOptions{})
		wantErr(t, "move "+key.Quoted(), fs.ErrNotExist, err)
		for _, v := range []asset.Version{"", file.Version} {
			wantErr(t, "remove "+key.Quoted(), fs.ErrNotExist, s.Remove(t.Context(), key, v))
			_, err = s.Open(t.Context(), key, v)
			wantErr(t, "open "+key.Quoted(), fs.ErrNotExist, err)
		}
	}
	s.wantAbsent(t, "storagetest/copy")
	s.wantAbsent(t, "storagetest/move")
}

func openVersion(t *testing.T, s *suite) {
	old := s.put(t, "storagetest/f", "old")
	got, obj, err := read(t.Context(), s, "storagetest/f", old.Version)
	if err != nil || got != "old" || obj.Version != old.Version {
		t.Fatalf("open at its version: want %q, got %q, %+v, %v", "old", got, obj, err)
	}
	now := s.put(t, "storagetest/f", "newer")
	_, err = s.Open(t.Context(), "storagetest/f", old.Version)
	wantErr(t, "open at an old version", storage.ErrChanged, err)
	got, _, err = read(t.Context(), s.other, "storagetest/f", now.Version)
	if err != nil || got != "newer" {
		t.Fatalf("open at the new version: want %q, got %q, %v", "newer", got, err)
	}
}

// openDirectory: a store without real folders may say that nothing is there.
func openDirectory(t *testing.T, s *suite) {
	s.put(t, "storagetest/dir/file", "x")
	r, err := s.Open(t.Context(), "storagetest/dir", "")
	if !errors.Is(err, storage.ErrNotRegular) && !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("open a directory: want ErrNotRegular, got %v, %v", r, err)
	}
	if err := s.Remove(t.Context(), "storagetest/dir", ""); err == nil {
		t.Fatal("a directory was removed as a drop")
	}
	s.wantContent(t, "storagetest/dir/file", "x")
}

func readerReadAt(t *testing.T, s *suite) {
	content := strings.Repeat("0123456789", 50_000)
	s.put(t, "storagetest/f", content)
	r, err := s.Open(t.Context(), "storagetest/f", "")
	must(t, "open", err)
	defer r.Close()
	for _, c := range []struct{ off, size int }{{0, 10}, {499_990, 10}, {123_456, 70_000}, {499_995, 10}, {500_000, 1}} {
		p := make([]byte, c.size)
		n, err := r.ReadAt(p, int64(c.off))
		want := content[c.off:min(c.off+c.size, len(content))]
		if eof := errors.Is(err, io.EOF); string(p[:n]) != want || err != nil && !eof || n < c.size && !eof {
			t.Fatalf("ReadAt %d bytes at %d: want %s, got %s, %v", c.size, c.off, brief(want), brief(string(p[:n])), err)
		}
	}
	b, err := io.ReadAll(r) // ReadAt does not move where Read goes on
	if err != nil || string(b) != content {
		t.Fatalf("Read after ReadAt: want %s, got %s, %v", brief(content), brief(string(b)), err)
	}
}

func readerCheck(t *testing.T, s *suite) {
	const key = "storagetest/f"
	open := func(content string) storage.Reader {
		s.put(t, key, content)
		r, err := s.Open(t.Context(), key, "")
		must(t, "open", err)
		t.Cleanup(func() { r.Close() })
		must(t, "check", r.Check(t.Context()))
		return r
	}
	replaced := open("first")
	s.put(t, key, "second!")
	wantErr(t, "check after replace", storage.ErrChanged, replaced.Check(t.Context()))

	removed := open("third")
	must(t, "remove", s.other.Remove(t.Context(), key, removed.Object().Version))
	wantErr(t, "check after removal", fs.ErrNotExist, removed.Check(t.Context()))
}

// readerNeverMixes: a reader of a replaced object gives the rest of its own bytes or an error.
func readerNeverMixes(t *testing.T, s *suite) {
	const size = 2 << 20
	old := strings.Repeat("o", size)
	s.put(t, "storagetest/f", old)
	r, err := s.Open(t.Context(), "storagetest/f", "")
	must(t, "open", err)
	defer r.Close()
	start := make([]byte, 1000)
	_, err = io.ReadFull(r, start)
	must(t, "read", err)
	s.put(t, "storagetest/f", strings.Repeat("n", size+1))
	rest, err := io.ReadAll(r)
	if got := string(start) + string(rest); err == nil && got != old {
		t.Fatalf("want %d times %q or an error, got %s with %d times %q", size, "o", brief(got), strings.Count(got, "n"), "n")
	}
}
