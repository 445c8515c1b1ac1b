package storagetest

import (
	"fmt"
	"strings"
	"testing"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

var versionCases = []aCase{
	{"Put_ifVersionReplacesThatOneOnly", putIfVersion},
	{"Put_ifVersionHasOneWinner", putIfVersionOneWinner},
	{"RemoveTree_takesAllBelow", removeTree},
}

func putIfVersion(t *testing.T, s *suite) {
	const key = "storagetest/versions/f"
	only := func(content string, v asset.Version) error {
		_, err := s.Put(t.Context(), key, strings.NewReader(content), storage.PutOptions{IfVersion: v})
		return err
	}
	wantErr(t, "put in place of a version of nothing", storage.ErrChanged, only("none", "1.2.3"))
	s.wantAbsent(t, key)
	first := s.put(t, key, "first")
	must(t, "put in place of the version that is there", only("second, longer", first.Version))
	s.wantContent(t, key, "second, longer")
	wantErr(t, "put in place of a version that was", storage.ErrChanged, only("third", first.Version))
	s.wantContent(t, key, "second, longer")
	second := s.stat(t, key)
	must(t, "remove", s.Remove(t.Context(), key, second.Version))
	wantErr(t, "put in place of a version that is gone", storage.ErrChanged, only("fourth", second.Version))
	s.wantAbsent(t, key)
}

func putIfVersionOneWinner(t *testing.T, s *suite) {
	const racers, keys = 16, 20
	for k := range s.rounds(keys) {
		key := asset.Key(fmt.Sprintf("storagetest/versions/race/%02d", k))
		was := s.put(t, key, "as it was before")
		won := raceFor(t, storage.ErrChanged, racers, func(i int) error {
			st := s.Store
			if i%2 == 1 {
				st = s.other
			}
			_, err := st.Put(t.Context(), key, strings.NewReader(racer(i)), storage.PutOptions{IfVersion: was.Version, Deferred: true})
			return err
		})
		s.wantContent(t, key, racer(won))
	}
}

func removeTree(t *testing.T, s *suite) {
	r, ok := s.Store.(storage.TreeRemover)
	if !ok {
		return // this store removes one object at a time
	}
	must(t, "remove a tree that is not there", r.RemoveTree(t.Context(), "storagetest/tree"))
	s.put(t, "storagetest/tree2", "a neighbour")
	for i := range 30 {
		s.put(t, asset.Key(fmt.Sprintf("storagetest/tree/%d/%d/f", i%3, i)), "leaf")
	}
	s.put(t, "storagetest/tree/0/0/f", "leaf again")
	must(t, "remove a tree", r.RemoveTree(t.Context(), "storagetest/tree"))
	if left := all(t, s.other, "storagetest/tree"); len(left) > 0 {
		t.Fatalf("left: %v", left)
	}
	s.wantContent(t, "storagetest/tree2", "a neighbour")
}
