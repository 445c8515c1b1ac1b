package s3_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"hotfolderd/asset"
	"hotfolderd/storage"
	"hotfolderd/storage/s3/s3test"
)

// hint waits for the next hint that is wanted; others are passed over.
func hint(t *testing.T, hints <-chan storage.Hint, what string, wanted func(storage.Hint) bool) {
	t.Helper()
	late := time.After(20 * time.Second)
	for {
		select {
		case h, ok := <-hints:
			if !ok {
				t.Fatalf("%s: no more hints", what)
			}
			if wanted(h) {
				return
			}
		case <-late:
			t.Fatalf("%s: no hint", what)
		}
	}
}

func about(key asset.Key, created bool) func(storage.Hint) bool {
	return func(h storage.Hint) bool { return h.Key == key && h.Created == created && !h.Rescan }
}

func rescan(prefix asset.Key) func(storage.Hint) bool {
	return func(h storage.Hint) bool { return h.Key == prefix && h.Rescan }
}

func watched(t *testing.T, st storage.Watcher, prefix asset.Key, enter func(asset.Key) bool) <-chan storage.Hint {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	hints, err := st.Watch(ctx, prefix, storage.WatchOptions{Enter: enter})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		for range hints { // until it is closed
		}
	})
	return hints
}

func TestWatch_tellsOfWhatComes(t *testing.T) {
	t.Parallel()
	s := shared(t, "minio")
	bucket := s.VersionedBucket(t)
	st := opened(t, config(t, s, bucket, "pre fix"))
	hints := watched(t, st, "in", func(k asset.Key) bool { return k != "in/skip" })
	for _, key := range []asset.Key{"in/a b+c%20.jpg", "in/ünï/\u65e5.jpg", "in/sub/x"} {
		must(t, readMade(put(t.Context(), st, key, "x", storage.PutOptions{})))
		hint(t, hints, string(key), about(key, true))
	}
	must(t, st.Remove(t.Context(), "in/sub/x", ""))
	for _, key := range []asset.Key{"in/skip/x", "out/x", "in/skip/deep/x", "in/last"} {
		must(t, readMade(put(t.Context(), st, key, "x", storage.PutOptions{})))
	}
	hint(t, hints, "the last", func(h storage.Hint) bool {
		if strings.HasPrefix(string(h.Key), "in/skip") || strings.HasPrefix(string(h.Key), "out") || h.Key == "in/sub/x" {
			t.Errorf("a hint of %s", h.Key)
		}
		return h.Key == "in/last"
	})
	if names := left(t, s, bucket); len(names) > 0 {
		t.Errorf("left are %q", names)
	}
}

func readMade(_ storage.Object, err error) error { return err }

// After a connection broke, and after the server did, a rescan says that hints were lost; then they come again.
func TestWatch_rescansAfterABreak(t *testing.T) {
	t.Parallel()
	s := s3test.MinIO(t)
	st, p := behind(t, s)
	hints := watched(t, st, "in", nil)
	for what, breakOff := range map[string]func(){
		"cut": p.Cut,
		"killed": func() {
			s.Kill()
			p.Cut()
			s.Restart(t)
		},
	} {
		breakOff()
		hint(t, hints, what, rescan("in"))
		key := asset.Key("in/" + what)
		must(t, readMade(put(t.Context(), st, key, "x", storage.PutOptions{})))
		hint(t, hints, "after "+what, about(key, true))
	}
}

// Whoever reads slowly gets a rescan for what did not fit.
func TestWatch_aSlowReaderGetsARescan(t *testing.T) {
	t.Parallel()
	s := shared(t, "minio")
	bucket := s.Bucket(t)
	st := opened(t, config(t, s, bucket, ""))
	st.FewHints(20)
	hints := watched(t, st, "in", nil)
	var keys []asset.Key
	for i := range 200 {
		keys = append(keys, asset.Key(fmt.Sprint("in/", i)))
	}
	fill(t, s, bucket, st, keys)
	hint(t, hints, "rescan", rescan("in"))
}

// A server that sends no hints is found out: one that knows no such request, and one that takes it and is silent for ever.
func TestWatch_findsOutThatNoHintComes(t *testing.T) {
	t.Parallel()
	t.Run("versitygw", func(t *testing.T) {
		s := shared(t, "versitygw")
		st := opened(t, config(t, s, s.Bucket(t), ""))
		if _, err := st.Watch(t.Context(), "in", storage.WatchOptions{}); err == nil || !strings.Contains(err.Error(), "does not tell of changes") {
			t.Errorf("watch: %v", err)
		}
	})
	t.Run("silent", func(t *testing.T) {
		st, p := behind(t, shared(t, "minio"))
		st.HearWithin(200 * time.Millisecond)
		listens := 0
		hold := make(chan struct{})
		t.Cleanup(func() { close(hold) })
		p.Decide(func(r *http.Request) s3test.Fate {
			if !r.URL.Query().Has("events") {
				return s3test.Fate{}
			}
			listens++
			return s3test.Fate{Hold: hold}
		})
		for range 2 {
			if _, err := st.Watch(t.Context(), "in", storage.WatchOptions{}); err == nil || !strings.Contains(err.Error(), "does not tell of changes") {
				t.Errorf("watch: %v", err)
			}
		}
		p.Decide(nil) // nothing counts on after it
		if listens != 1 {
			t.Errorf("it was tried %d times", listens)
		}
	})
	t.Run("not to be reached", func(t *testing.T) {
		s := s3test.MinIO(t)
		st := opened(t, config(t, s, s.Bucket(t), ""))
		s.Kill()
		if _, err := st.Watch(t.Context(), "in", storage.WatchOptions{}); err == nil {
			t.Error("watch: no error")
		}
		s.Restart(t)
		watched(t, st, "in", nil)
	})
}
