package s3_test

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"hotfolderd/asset"
	"hotfolderd/storage"
	"hotfolderd/storage/s3"
	"hotfolderd/storage/s3/s3test"
	"hotfolderd/storage/storagetest"
)

const mib = 1 << 20

// inParts opens a store for which 5 MiB are large.
func inParts(t *testing.T, s *s3test.Server, bucket string) (*s3.Store, *s3test.Proxy) {
	t.Helper()
	p := s3test.NewProxy(t, s)
	c := config(t, s, bucket, "")
	c.URL = p.URL(bucket, "pre")
	st := opened(t, c)
	st.Lower(4*mib, 5*mib)
	p.Reset()
	return st, p
}

// incomplete are the uploads that were begun under a name and not ended. MinIO tells of them by the whole name only.
func incomplete(t *testing.T, s *s3test.Server, bucket, name string) (n int) {
	t.Helper()
	for u := range s.Client(t).ListIncompleteUploads(t.Context(), bucket, name, true) {
		if u.Err != nil {
			t.Fatal(u.Err)
		}
		n++
	}
	return n
}

// left are the names below the store's own folder.
func left(t *testing.T, s *s3test.Server, bucket string) (names []string) {
	t.Helper()
	for o := range s.Client(t).ListObjectsIter(t.Context(), bucket, minio.ListObjectsOptions{Prefix: "pre/.hotfolderd/", Recursive: true}) {
		if o.Err != nil {
			t.Fatal(o.Err)
		}
		names = append(names, o.Key)
	}
	return names
}

func TestUpload_largeObjectsTravelInParts(t *testing.T) {
	onServers(t, func(t *testing.T, s *s3test.Server) {
		for name, bucket := range map[string]string{"plain": s.Bucket(t), "versioned": s.VersionedBucket(t)} {
			t.Run(name, func(t *testing.T) {
				st, p := inParts(t, s, bucket)
				want := pattern(11*mib + 5)
				made, err := put(t.Context(), st, "k", want, ifAbsent)
				if err != nil {
					t.Fatal(err)
				}
				if p.Count("POST") != 2 || storagetest.Content(t, st, "k") != want {
					t.Errorf("it did not travel in parts, or is another: %d POST", p.Count("POST"))
				}
				if stat, _ := st.Stat(t.Context(), "k"); stat.Version != made.Version {
					t.Errorf("put answers %q, stat %q", made.Version, stat.Version)
				}
				if _, err := put(t.Context(), st, "k", want, ifAbsent); !errors.Is(err, fs.ErrExist) {
					t.Errorf("a taken key: want fs.ErrExist, got %v", err)
				}
				if _, err := put(t.Context(), st, "k", "!"+want, storage.PutOptions{}); err != nil || storagetest.Content(t, st, "k") != "!"+want {
					t.Errorf("replace: %v", err)
				}
				if names := left(t, s, bucket); len(names) > 0 || incomplete(t, s, bucket, "pre/k") > 0 {
					t.Errorf("left are %q and %d uploads", names, incomplete(t, s, bucket, "pre/k"))
				}
			})
		}
	})
}

func TestUpload_faultsAreRepeatedOrSettled(t *testing.T) {
	onServers(t, func(t *testing.T, s *s3test.Server) {
		bucket := s.Bucket(t)
		st, p := inParts(t, s, bucket)
		begun := func(r *http.Request) bool { return r.Method == http.MethodPost && r.URL.Query().Has("uploads") }
		part := func(r *http.Request) bool { return r.URL.Query().Has("partNumber") }
		end := func(r *http.Request) bool { return r.Method == http.MethodPost && r.URL.Query().Has("uploadId") }
		for name, c := range map[string]struct {
			at   func(*http.Request) bool
			fate s3test.Fate
		}{
			"begin refused": {begun, s3test.Fate{Status: 503}}, "part lost": {part, s3test.Fate{Lose: true}},
			"part cut": {part, s3test.Fate{CutRequest: mib}}, "part's answer lost": {part, s3test.Fate{LoseAnswer: true}},
			"end lost": {end, s3test.Fate{Lose: true}}, "end's answer lost": {end, s3test.Fate{LoseAnswer: true}},
			"end 500 though done": {end, s3test.Fate{LoseAnswer: true, Status: 500}},
		} {
			t.Run(name, func(t *testing.T) {
				hit := false
				p.Decide(func(r *http.Request) s3test.Fate {
					if hit || !c.at(r) {
						return s3test.Fate{}
					}
					hit = true
					return c.fate
				})
				key := asset.Key(name)
				want := pattern(6 * mib)
				if _, err := put(t.Context(), st, key, want, ifAbsent); err != nil || storagetest.Content(t, st, key) != want {
					t.Fatalf("hit %v: %v", hit, err)
				}
				if names := left(t, s, bucket); len(names) > 0 {
					t.Errorf("left are %q", names)
				}
			})
		}
	})
}

// What cannot be sent, or has lost, is given up: nothing is left of it on the server.
func TestUpload_thatFailsLeavesNothing(t *testing.T) {
	onServers(t, func(t *testing.T, s *s3test.Server) {
		bucket := s.Bucket(t)
		st, p := inParts(t, s, bucket)
		for name, c := range map[string]struct {
			decide func(*http.Request) s3test.Fate
			want   error
		}{
			"a part that never arrives": {func(r *http.Request) s3test.Fate {
				return s3test.Fate{Lose: r.URL.Query().Get("partNumber") == "2"}
			}, errRefused},
			"no access": {func(r *http.Request) s3test.Fate {
				if r.URL.Query().Has("partNumber") {
					return s3test.Fate{Status: 403}
				}
				return s3test.Fate{}
			}, errRefused},
			"a rival": {func(r *http.Request) s3test.Fate {
				if r.Method == http.MethodPost && r.URL.Query().Has("uploadId") {
					raw(t, s, bucket, "pre/k")
				}
				return s3test.Fate{}
			}, errExist},
		} {
			p.Decide(c.decide)
			_, err := put(t.Context(), st, "k", pattern(6*mib), ifAbsent)
			p.Decide(nil)
			if err == nil || errors.Is(err, errExist) != (c.want == errExist) {
				t.Errorf("%s: %v", name, err)
			}
			if names := left(t, s, bucket); len(names) > 0 || incomplete(t, s, bucket, "pre/k") > 0 {
				t.Errorf("%s: left are %q and %d uploads", name, names, incomplete(t, s, bucket, "pre/k"))
			}
			if err := st.Remove(t.Context(), "k", ""); err != nil && !errors.Is(err, errNotExist) {
				t.Error(err)
			}
		}
	})
}

// Sixteen uploads of one key end at the same time, and sixteen copies: one of each is told that it won.
func TestUpload_endHasOneWinner(t *testing.T) {
	const writers, rounds = 16, 6
	onServers(t, func(t *testing.T, s *s3test.Server) {
		bucket := s.Bucket(t)
		st, _ := inParts(t, s, bucket)
		st.Lower(1000, 5*mib)
		src, err := put(t.Context(), st, "src", strings.Repeat("s", 5000), storage.PutOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for round := range rounds {
			up, cp := asset.Key(fmt.Sprintf("up%d", round)), asset.Key(fmt.Sprintf("cp%d", round))
			errs, copies := make([]error, writers), make([]error, writers)
			var all sync.WaitGroup
			for w := range writers {
				all.Go(func() {
					_, errs[w] = put(t.Context(), st, up, strings.Repeat("x", 2000+w), ifAbsent)
					_, copies[w] = st.Copy(t.Context(), src, cp, ifAbsent)
				})
			}
			all.Wait()
			won := winner(t, errs)
			if got := storagetest.Content(t, st, up); len(got) != 2000+won {
				t.Errorf("%d won, but %d bytes are there", won, len(got))
			}
			winner(t, copies)
		}
		if names := left(t, s, bucket); len(names) > 0 {
			t.Errorf("left are %q", names)
		}
	})
}

func winner(t *testing.T, errs []error) int {
	t.Helper()
	won := -1
	for w, err := range errs {
		switch {
		case err == nil && won >= 0:
			t.Fatalf("%d and %d both won", won, w)
		case err == nil:
			won = w
		case !errors.Is(err, fs.ErrExist):
			t.Fatalf("loser %d: %v", w, err)
		}
	}
	if won < 0 {
		t.Fatal("nobody won")
	}
	return won
}

// An upload whose process died is found by its note and given up; one that is younger is left alone.
func TestTidy_givesUpWhatDeadProcessesLeft(t *testing.T) {
	onServers(t, func(t *testing.T, s *s3test.Server) {
		for name, bucket := range map[string]string{"plain": s.Bucket(t), "versioned": s.VersionedBucket(t)} {
			t.Run(name, func(t *testing.T) {
				st, p := inParts(t, s, bucket)
				p.Decide(func(r *http.Request) s3test.Fate { // as if it were killed: nothing after the first part gets through
					return s3test.Fate{Lose: r.Method == http.MethodDelete || r.URL.Query().Get("partNumber") == "2"}
				})
				if _, err := put(t.Context(), st, "k", pattern(11*mib), ifAbsent); err == nil {
					t.Fatal("it was put")
				}
				p.Decide(nil)
				raw(t, s, bucket, "pre/.hotfolderd/probe/x", "pre/.hotfolderd/moves/y")
				if n := incomplete(t, s, bucket, "pre/k"); n != 1 || len(left(t, s, bucket)) != 3 {
					t.Fatalf("want one upload and its note, got %d and %q", n, left(t, s, bucket))
				}
				if n, err := st.Tidy(t.Context(), time.Hour); n != 0 || err != nil || incomplete(t, s, bucket, "pre/k") != 1 {
					t.Errorf("younger than an hour: %d, %v", n, err)
				}
				if n, err := st.Tidy(t.Context(), 0); n != 3 || err != nil || incomplete(t, s, bucket, "pre/k") != 0 {
					t.Errorf("of any age: %d, %v", n, err)
				}
				if names := left(t, s, bucket); len(names) > 0 {
					t.Errorf("left are %q", names)
				}
			})
		}
	})
}
