package storagetest

import (
	"io/fs"
	"strings"
	"testing"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

var copyCases = []aCase{
	{"Copy_hasTheBytes", copyPlain},
	{"Copy_sharedOutlivesItsSource", copyShared},
	{"Copy_replacesUnlessIfAbsent", copyReplaces},
	{"Copy_ifAbsentHasOneWinner", copyOneWinner},
	{"Copy_refusesAChangedSource", copyChanged},
	{"Move_sourceDisappears", movePlain},
	{"Move_ifAbsentKeepsBoth", moveIfAbsent},
	{"Move_refusesAChangedSource", moveChanged},
	{"Move_ofOneSourceHasOneWinner", moveOneWinner},
}

func copyPlain(t *testing.T, s *suite) {
	for _, content := range []string{"", "small", strings.Repeat("large", 1<<20)} {
		src := s.put(t, "storagetest/src", content)
		obj, err := s.Copy(t.Context(), src, "storagetest/to/dst", storage.PutOptions{})
		must(t, "copy", err)
		if obj.Key != "storagetest/to/dst" || obj.Size != src.Size || obj.Version != s.stat(t, obj.Key).Version {
			t.Fatalf("copy answers %+v, stat %+v", obj, s.stat(t, obj.Key))
		}
		s.wantContent(t, "storagetest/to/dst", content)
		s.wantContent(t, "storagetest/src", content)
		if now := s.stat(t, "storagetest/src"); now.Version != src.Version {
			t.Fatal("copying changed the version of the source")
		}
		s.put(t, "storagetest/src", "replaced")
		s.wantContent(t, "storagetest/to/dst", content)
	}
}

// copyShared looks at the copy after its source is gone: while both are there, a store of files may call them hard-linked.
func copyShared(t *testing.T, s *suite) {
	src := s.put(t, "storagetest/src", "shared bytes")
	_, err := s.Copy(t.Context(), src, "storagetest/to/dst", storage.PutOptions{Shared: true, IfAbsent: true})
	must(t, "copy shared", err)
	if got := s.stat(t, "storagetest/to/dst"); got.Size != src.Size {
		t.Fatalf("want %d bytes, got %+v", src.Size, got)
	}
	rival := s.put(t, "storagetest/rival", "rival")
	_, err = s.Copy(t.Context(), rival, "storagetest/to/dst", storage.PutOptions{Shared: true, IfAbsent: true})
	wantErr(t, "copy shared to a taken key", fs.ErrExist, err)
	s.put(t, "storagetest/src", "replaced")
	s.wantContent(t, "storagetest/to/dst", "shared bytes")
	s.wantContent(t, "storagetest/src", "replaced")
}

func copyReplaces(t *testing.T, s *suite) {
	src := s.put(t, "storagetest/src", "source")
	s.put(t, "storagetest/dst", "mine")
	_, err := s.Copy(t.Context(), src, "storagetest/dst", storage.PutOptions{IfAbsent: true})
	wantErr(t, "copy to a taken key", fs.ErrExist, err)
	s.wantContent(t, "storagetest/dst", "mine")
	for _, o := range []storage.PutOptions{{}, {Deferred: true}} {
		s.put(t, "storagetest/dst", "mine again")
		_, err = s.Copy(t.Context(), src, "storagetest/dst", o)
		must(t, "copy over", err)
		s.wantContent(t, "storagetest/dst", "source")
	}
}

func copyOneWinner(t *testing.T, s *suite) {
	const racers = 16
	sources := make([]storage.Object, racers)
	for i := range sources {
		sources[i] = s.put(t, asset.Key("storagetest/src").Join(asset.Key('a'+rune(i))), racer(i))
	}
	won := race(t, racers, func(i int) error {
		_, err := s.Copy(t.Context(), sources[i], "storagetest/dst", storage.PutOptions{IfAbsent: true, Deferred: true})
		return err
	})
	s.wantContent(t, "storagetest/dst", racer(won))
}

func copyChanged(t *testing.T, s *suite) {
	old := s.put(t, "storagetest/src", "old")
	s.put(t, "storagetest/src", "newer")
	for _, o := range []storage.PutOptions{{}, {IfAbsent: true}, {Shared: true}, {Shared: true, IfAbsent: true}} {
		_, err := s.Copy(t.Context(), old, "storagetest/dst", o)
		wantErr(t, "copy an old version", storage.ErrChanged, err)
		s.wantAbsent(t, "storagetest/dst")
	}
	s.put(t, "storagetest/dst", "mine")
	for _, o := range []storage.PutOptions{{}, {Shared: true}} {
		_, err := s.Copy(t.Context(), old, "storagetest/dst", o)
		wantErr(t, "copy an old version over something", storage.ErrChanged, err)
		s.wantContent(t, "storagetest/dst", "mine")
	}
}

func movePlain(t *testing.T, s *suite) {
	src := s.put(t, "storagetest/src", "moved")
	obj, err := s.Move(t.Context(), src, "storagetest/to/dst", storage.PutOptions{IfAbsent: true})
	must(t, "move", err)
	s.wantAbsent(t, "storagetest/src")
	s.wantContent(t, "storagetest/to/dst", "moved")
	if got := s.stat(t, "storagetest/to/dst"); got.Version != obj.Version || got.Kind != storage.Regular {
		t.Fatalf("move answers %+v, stat %+v", obj, got)
	}
	must(t, "sync", s.Sync(t.Context(), "storagetest/src", "storagetest/to/dst"))

	src = s.put(t, "storagetest/src", "moved over")
	_, err = s.Move(t.Context(), src, "storagetest/to/dst", storage.PutOptions{})
	must(t, "move over", err)
	s.wantAbsent(t, "storagetest/src")
	s.wantContent(t, "storagetest/to/dst", "moved over")
}

func moveIfAbsent(t *testing.T, s *suite) {
	src := s.put(t, "storagetest/src", "source")
	s.put(t, "storagetest/dst", "mine")
	_, err := s.Move(t.Context(), src, "storagetest/dst", storage.PutOptions{IfAbsent: true})
	wantErr(t, "move to a taken key", fs.ErrExist, err)
	s.wantContent(t, "storagetest/src", "source")
	s.wantContent(t, "storagetest/dst", "mine")
}

func moveChanged(t *testing.T, s *suite) {
	old := s.put(t, "storagetest/src", "old")
	s.put(t, "storagetest/src", "newer")
	for _, o := range []storage.PutOptions{{}, {IfAbsent: true}} {
		_, err := s.Move(t.Context(), old, "storagetest/dst", o)
		wantErr(t, "move an old version", storage.ErrChanged, err)
		s.wantContent(t, "storagetest/src", "newer")
		s.wantAbsent(t, "storagetest/dst")
	}
}

// moveOneWinner moves one source to many places: it arrives once, and nothing of it is lost.
func moveOneWinner(t *testing.T, s *suite) {
	const movers, rounds = 8, 10
	for range s.rounds(rounds) {
		src := s.put(t, "storagetest/src", "only one")
		moved := atOnce(movers, func(i int) error {
			_, err := s.Move(t.Context(), src, asset.Key("storagetest/dst").Join(asset.Key('a'+rune(i))), storage.PutOptions{IfAbsent: true})
			return err
		})
		there := all(t, s, "storagetest/dst")
		if len(there) != 1 {
			t.Fatalf("one source was moved to %d places (answers %v)", len(there), moved)
		}
		for key, obj := range there {
			if err := moved[key.Base()[0]-'a']; err != nil {
				t.Fatalf("%s arrived, but its mover was told %v", key.Quoted(), err)
			}
			s.wantContent(t, key, "only one")
			must(t, "remove", s.Remove(t.Context(), key, obj.Version))
		}
		s.wantAbsent(t, "storagetest/src")
	}
}
