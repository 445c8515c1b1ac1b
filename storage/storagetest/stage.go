package storagetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

var stageCases = []aCase{
	{"Stage_isInvisibleUntilPublished", stageInvisible},
	{"Stage_readsBackWhatWasWritten", stageReadAt},
	{"Stage_flushIsIdempotent", stageFlush},
	{"Stage_publishesAgainAfterErrExist", stagePublishAgain},
	{"Stage_publishReplacesUnlessIfAbsent", stageReplace},
	{"Stage_publishIfAbsentHasOneWinner", stageOneWinner},
	{"Stage_discardForgets", stageDiscard},
	{"Stage_publishCanBeRepeatedAfterAnError", stageRepeat},
	{"Stage_emptyIsAnObject", stageEmpty},
	{"Stage_publishesWhatItsKeyProves", stageProven},
}

// staged begins a staging with content and discards it at the end of the test.
func (s *suite) staged(t *testing.T, content string) storage.Staged {
	t.Helper()
	st, err := s.Stage(t.Context())
	must(t, "stage", err)
	t.Cleanup(func() {
		if err := st.Discard(); err != nil {
			t.Errorf("discard: %v", err)
		}
	})
	n, err := io.WriteString(st, content)
	if err != nil || n != len(content) {
		t.Fatalf("write: want %d bytes, got %d, %v", len(content), n, err)
	}
	if st.Size() != int64(len(content)) {
		t.Fatalf("size: want %d, got %d", len(content), st.Size())
	}
	return st
}

func stageInvisible(t *testing.T, s *suite) {
	s.put(t, "storagetest/there", "there")
	before := all(t, s, asset.Root)
	st := s.staged(t, strings.Repeat("hidden", 100_000))
	sameFiles(t, "while staged", before, all(t, s.other, asset.Root))
	must(t, "flush", st.Flush(t.Context()))
	sameFiles(t, "while flushed", before, all(t, s.other, asset.Root))
	for obj, err := range s.List(t.Context(), asset.Root, storage.ListOptions{}) {
		must(t, "list", err)
		if obj.Key != "storagetest" {
			t.Fatalf("the root shows %s while something is staged", obj.Key.Quoted())
		}
	}
	obj, err := st.Publish(t.Context(), "storagetest/x/published", storage.PutOptions{})
	must(t, "publish", err)
	if stat := s.stat(t, obj.Key); stat.Version != obj.Version || obj.Version == "" {
		t.Fatalf("publish answers version %q, stat %q", obj.Version, stat.Version)
	}
	s.wantContent(t, "storagetest/x/published", strings.Repeat("hidden", 100_000))
}

func stageReadAt(t *testing.T, s *suite) {
	st := s.staged(t, "0123456789")
	check := func(off int64, size int, want string, eof bool) {
		t.Helper()
		p := make([]byte, size)
		n, err := st.ReadAt(p, off)
		if string(p[:n]) != want || eof != errors.Is(err, io.EOF) || !eof && err != nil {
			t.Fatalf("ReadAt %d bytes at %d: want %q, got %q, %v", size, off, want, p[:n], err)
		}
	}
	check(3, 4, "3456", false)
	check(8, 4, "89", true)
	check(10, 1, "", true)
	_, err := io.WriteString(st, "ab") // reading does not move where writing goes on
	must(t, "write after ReadAt", err)
	must(t, "flush", st.Flush(t.Context()))
	check(8, 4, "89ab", false)
	_, err = st.Publish(t.Context(), "storagetest/f", storage.PutOptions{})
	must(t, "publish", err)
	s.wantContent(t, "storagetest/f", "0123456789ab")
}

func stageFlush(t *testing.T, s *suite) {
	st := s.staged(t, "flushed")
	for range 3 {
		must(t, "flush", st.Flush(t.Context()))
	}
	_, err := st.Publish(t.Context(), "storagetest/f", storage.PutOptions{IfAbsent: true})
	must(t, "publish", err)
	s.wantContent(t, "storagetest/f", "flushed")
}

func stagePublishAgain(t *testing.T, s *suite) {
	s.put(t, "storagetest/taken", "mine")
	st := s.staged(t, "theirs")
	for range 2 {
		_, err := st.Publish(t.Context(), "storagetest/taken", storage.PutOptions{IfAbsent: true})
		wantErr(t, "publish to a taken key", fs.ErrExist, err)
	}
	_, err := st.Publish(t.Context(), "storagetest/free", storage.PutOptions{IfAbsent: true})
	must(t, "publish to another key", err)
	s.wantContent(t, "storagetest/taken", "mine")
	s.wantContent(t, "storagetest/free", "theirs")
	must(t, "discard after publish", st.Discard())
	s.wantContent(t, "storagetest/free", "theirs")
}

func stageReplace(t *testing.T, s *suite) {
	old := s.put(t, "storagetest/f", "old")
	st := s.staged(t, "newer")
	obj, err := st.Publish(t.Context(), "storagetest/f", storage.PutOptions{})
	must(t, "publish", err)
	if obj.Version == old.Version {
		t.Fatal("the new content has the old version")
	}
	s.wantContent(t, "storagetest/f", "newer")
}

func stageOneWinner(t *testing.T, s *suite) {
	const racers = 16
	stagings := make([]storage.Staged, racers)
	for i := range stagings {
		stagings[i] = s.staged(t, racer(i))
	}
	won := race(t, racers, func(i int) error {
		_, err := stagings[i].Publish(t.Context(), "storagetest/one", storage.PutOptions{IfAbsent: true})
		return err
	})
	s.wantContent(t, "storagetest/one", racer(won))
}

func stageDiscard(t *testing.T, s *suite) {
	before := all(t, s, asset.Root)
	st := s.staged(t, "never")
	for range 2 {
		must(t, "discard", st.Discard())
	}
	if _, err := st.Publish(t.Context(), "storagetest/f", storage.PutOptions{}); err == nil {
		t.Fatal("published after Discard")
	}
	s.wantAbsent(t, "storagetest/f")
	sameFiles(t, "after discard", before, all(t, s, asset.Root))
}

func stageRepeat(t *testing.T, s *suite) {
	st := s.staged(t, "patient")
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := st.Publish(canceled, "storagetest/f", storage.PutOptions{IfAbsent: true})
	wantErr(t, "publish with a canceled context", context.Canceled, err)
	s.wantAbsent(t, "storagetest/f")
	_, err = st.Publish(t.Context(), "storagetest/f", storage.PutOptions{IfAbsent: true})
	must(t, "publish again", err)
	s.wantContent(t, "storagetest/f", "patient")
}

func stageEmpty(t *testing.T, s *suite) {
	st := s.staged(t, "")
	_, err := st.Publish(t.Context(), "storagetest/empty", storage.PutOptions{})
	must(t, "publish", err)
	s.wantContent(t, "storagetest/empty", "")
}

// stageProven publishes bytes together with their name, many at a time into a few folders, also after a flush.
func stageProven(t *testing.T, s *suite) {
	const many = 24
	errs := make(chan error, many)
	for i := range many {
		st := s.staged(t, fmt.Sprintf("proven %d", i))
		if i%5 == 0 {
			must(t, "flush", st.Flush(t.Context()))
		}
		go func() {
			_, err := st.Publish(t.Context(), asset.Key(fmt.Sprintf("storagetest/%d/%d", i%3, i)), storage.PutOptions{IfAbsent: true, Proven: true})
			errs <- err
		}()
	}
	for range many {
		must(t, "publish", <-errs)
	}
	for i := range many {
		s.wantContent(t, asset.Key(fmt.Sprintf("storagetest/%d/%d", i%3, i)), fmt.Sprintf("proven %d", i))
	}
	again := s.staged(t, "another")
	_, err := again.Publish(t.Context(), "storagetest/0/0", storage.PutOptions{IfAbsent: true, Proven: true})
	wantErr(t, "publish where something is", fs.ErrExist, err)
	s.wantContent(t, "storagetest/0/0", "proven 0")
}
