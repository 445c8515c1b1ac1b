package s3_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"hotfolderd/asset"
	"hotfolderd/storage"
	"hotfolderd/storage/s3/s3test"
	"hotfolderd/storage/storagetest"
)

var (
	errExist    = fs.ErrExist
	errNotExist = fs.ErrNotExist
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantErr(t *testing.T, what string, want, got error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: want %v, got %v", what, want, got)
	}
}

func versions(t *testing.T, s *s3test.Server, bucket string) (n int) {
	t.Helper()
	for o := range s.Client(t).ListObjectsIter(t.Context(), bucket, minio.ListObjectsOptions{WithVersions: true, Recursive: true}) {
		if o.Err != nil {
			t.Fatal(o.Err)
		}
		n++
	}
	return n
}

// What a version replaced goes with it: nothing older comes back, and nothing is left of it.
func TestRemove_nothingOlderComesBack(t *testing.T) {
	onServers(t, func(t *testing.T, s *s3test.Server) {
		bucket := s.VersionedBucket(t)
		st := opened(t, config(t, s, bucket, "pre"))
		var obj storage.Object
		var err error
		for i := range 25 { // more than a page of versions
			obj, err = put(t.Context(), st, "k", fmt.Sprint("content ", i), storage.PutOptions{})
			must(t, err)
		}
		_, err = put(t.Context(), st, "k-other", "stays", storage.PutOptions{})
		must(t, err)
		must(t, st.Remove(t.Context(), "k", obj.Version))
		_, err = st.Stat(t.Context(), "k")
		wantErr(t, "stat", errNotExist, err)
		if n := versions(t, s, bucket); n != 1 {
			t.Errorf("want the one of k-other, got %d versions", n)
		}
	})
}

// An object that somebody deleted, as people's tools do it, is not there; what lies before that mark is no concern of ours.
func TestRemove_leavesWhatWasDeletedBefore(t *testing.T) {
	t.Parallel()
	s := shared(t, "minio")
	bucket := s.VersionedBucket(t)
	st := opened(t, config(t, s, bucket, ""))
	_, err := put(t.Context(), st, "k", "history", storage.PutOptions{})
	must(t, err)
	must(t, s.Client(t).RemoveObject(t.Context(), bucket, "k", minio.RemoveObjectOptions{}))
	wantErr(t, "remove what was deleted", errNotExist, st.Remove(t.Context(), "k", ""))
	obj, err := put(t.Context(), st, "k", "new", ifAbsent)
	must(t, err)
	must(t, st.Remove(t.Context(), "k", obj.Version))
	_, err = st.Stat(t.Context(), "k")
	wantErr(t, "stat", errNotExist, err)
	if n := versions(t, s, bucket); n != 2 {
		t.Errorf("want the history and the mark, got %d versions", n)
	}
}

func TestRemove_lostAnswersAndRequests(t *testing.T) {
	onServers(t, func(t *testing.T, s *s3test.Server) {
		for name, bucket := range map[string]string{"plain": s.Bucket(t), "versioned": s.VersionedBucket(t)} {
			p := s3test.NewProxy(t, s)
			c := config(t, s, bucket, "")
			c.URL = p.URL(bucket, "pre")
			st := opened(t, c)
			for what, fate := range map[string]s3test.Fate{
				"lost": {Lose: true}, "answer lost": {LoseAnswer: true}, "refused": {Status: 503}, "500 though done": {LoseAnswer: true, Status: 500},
			} {
				obj, err := put(t.Context(), st, "k", what, storage.PutOptions{})
				must(t, err)
				p.Decide(s3test.Nth(1, "DELETE", fate))
				if err := st.Remove(t.Context(), "k", obj.Version); err != nil {
					t.Errorf("%s, %s: %v", name, what, err)
				}
				p.Decide(nil)
				_, err = st.Stat(t.Context(), "k")
				wantErr(t, name+", "+what, errNotExist, err)
			}
		}
	})
}

// A drop that replaces another between the look and the removal stays, where versions are kept: the proxy lets it come exactly there.
func TestRemove_aNewerOneBetweenTheSteps(t *testing.T) {
	t.Parallel()
	s := shared(t, "minio")
	bucket := s.VersionedBucket(t)
	p := s3test.NewProxy(t, s)
	c := config(t, s, bucket, "")
	c.URL, c.AcceptRisk = p.URL(bucket, ""), false
	st := opened(t, c)
	obj, err := put(t.Context(), st, "k", "old", storage.PutOptions{})
	must(t, err)
	p.Decide(func(r *http.Request) s3test.Fate {
		if r.Method == http.MethodDelete {
			raw(t, s, bucket, "k")
		}
		return s3test.Fate{}
	})
	must(t, st.Remove(t.Context(), "k", obj.Version))
	if got := storagetest.Content(t, st, "k"); got != "k" {
		t.Errorf("the newer one is %q", got)
	}
}

func TestMove_brokenOffAnywhereLosesNothing(t *testing.T) {
	const most = 14 // requests of a move, and some more
	onServers(t, func(t *testing.T, s *s3test.Server) {
		var all sync.WaitGroup
		for name, bucket := range map[string]string{"plain": s.Bucket(t), "versioned": s.VersionedBucket(t)} {
			probed := opened(t, config(t, s, bucket, ""))
			for nth := 1; nth <= most; nth++ {
				p := s3test.NewProxy(t, s)
				c := config(t, s, bucket, "")
				c.URL = p.URL(bucket, fmt.Sprint(nth))
				st := twin(t, probed, c)
				all.Go(func() {
					broken, err := breakMove(t.Context(), st, p, nth)
					if err != nil || nth == most && broken {
						t.Errorf("%s, broken off at request %d (%v): %v", name, nth, broken, err)
					}
				})
			}
		}
		all.Wait()
	})
}

// breakMove moves something; the n-th request and all after it are lost. Then it is at one place at least, and after a success at
// the right one only.
func breakMove(ctx context.Context, st storage.Store, p *s3test.Proxy, nth int) (broken bool, err error) {
	src, err := put(ctx, st, "src", "moved", storage.PutOptions{})
	if err != nil {
		return false, err
	}
	n := 0
	p.Decide(func(*http.Request) s3test.Fate { n++; return s3test.Fate{Lose: n >= nth} })
	_, moved := st.Move(ctx, src, "dst", ifAbsent)
	p.Decide(nil)
	there := map[asset.Key]int64{}
	for obj, err := range st.List(ctx, asset.Root, storage.ListOptions{}) {
		if err != nil {
			return n >= nth, err
		}
		there[obj.Key] = obj.Size
	}
	if there["src"] != src.Size && there["dst"] != src.Size || moved == nil && (len(there) != 1 || there["dst"] != src.Size) {
		err = fmt.Errorf("it is at %v; move says %w", there, moved)
	}
	return n >= nth, err
}

// A mover that stood still for so long that its claim was buried, and what it moves was moved by another, takes its copy back.
func TestMove_ofOnePausedForLongIsTakenBack(t *testing.T) {
	onServers(t, func(t *testing.T, s *s3test.Server) {
		st, p := behind(t, s)
		src, err := put(t.Context(), st, "src", "moved", storage.PutOptions{})
		must(t, err)
		c := config(t, s, "", "")
		c.URL = strings.Replace(st.Properties().URL, url.QueryEscape(p.Endpoint()), url.QueryEscape(s.Endpoint()), 1)
		other := twin(t, st, c)
		st.ShortClaims(time.Second)
		other.ShortClaims(time.Second)
		p.Decide(func(r *http.Request) s3test.Fate {
			for r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, "/one") {
				if _, err := other.Move(t.Context(), src, "two", ifAbsent); err == nil {
					break
				} else if !errors.Is(err, storage.ErrChanged) {
					t.Errorf("the other mover: %v", err)
					break
				}
				time.Sleep(10 * time.Millisecond)
			}
			return s3test.Fate{}
		})
		_, err = st.Move(t.Context(), src, "one", ifAbsent)
		if !errors.Is(err, storage.ErrChanged) && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the late mover is told %v", err)
		}
		wantLines(t, "in the end", []string{"file two"}, lines(t, st, asset.Root, storage.ListOptions{}))
	})
}
