package s3_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/minio/minio-go/v7"

	"hotfolderd/asset"
	"hotfolderd/storage"
	"hotfolderd/storage/s3"
	"hotfolderd/storage/s3/s3test"
	"hotfolderd/storage/storagetest"
)

// config reaches a prefix of a bucket, and takes its risks.
func config(t *testing.T, s *s3test.Server, bucket, prefix string) s3.Config {
	t.Helper()
	return s3.Config{URL: s.URL(bucket, prefix), CredentialsFile: s3test.Credentials(t), CA: s.CA, AcceptRisk: true, Spool: t.TempDir()}
}

func opened(t *testing.T, c s3.Config) *s3.Store {
	t.Helper()
	s, err := s3.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// twin is another handle of a bucket that was tried already.
func twin(t *testing.T, probed *s3.Store, c s3.Config) *s3.Store {
	t.Helper()
	s, err := s3.Twin(probed, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// prefixOf is a prefix that no other test uses.
func prefixOf(t *testing.T) string { return strings.NewReplacer("/", "-", "#", "-").Replace(t.Name()) }

func TestStore_keepsTheContract(t *testing.T) {
	onServers(t, func(t *testing.T, s *s3test.Server) {
		for name, bucket := range map[string]func(testing.TB) string{"plain": s.Bucket, "versioned": s.VersionedBucket} {
			if testing.Short() && (name == "versioned") != (s.Name == "minio") {
				continue // the kind of bucket that one would not choose there
			}
			t.Run(name, func(t *testing.T) { contract(t, s, bucket(t)) })
		}
	})
}

func contract(t *testing.T, s *s3test.Server, bucket string) {
	probed := opened(t, config(t, s, bucket, ""))
	open := func(t *testing.T) storage.Store { return twin(t, probed, config(t, s, bucket, prefixOf(t))) }
	storagetest.Run(t, open, storagetest.Options{
		Slow: true,
		Reopen: func(t *testing.T, st storage.Store) storage.Store {
			c := config(t, s, bucket, "")
			c.URL = st.Properties().URL
			return twin(t, probed, c)
		},
		Holds: func(k asset.Key) bool { return s3.Storable(string(k)) == nil },
		Fill: func(t *testing.T, st storage.Store, keys []asset.Key) {
			fill(t, s, bucket, st.(*s3.Store), keys)
		},
		Entries: 1100, // two pages
	})
}

func TestStore_takesStreams(t *testing.T) {
	onServers(t, func(t *testing.T, s *s3test.Server) {
		for name, bucket := range map[string]string{"plain": s.Bucket(t), "versioned": s.VersionedBucket(t)} {
			t.Run(name, func(t *testing.T) {
				probed := opened(t, config(t, s, bucket, ""))
				small := func(st *s3.Store) *s3.Store { st.Lower(4*mib, 5*mib); return st }
				storagetest.RunStreams(t, func(t *testing.T) storage.Store {
					st := small(twin(t, probed, config(t, s, bucket, prefixOf(t))))
					t.Cleanup(func() { nothingLeft(t, s, bucket, st) })
					return st
				}, storagetest.Options{
					Slow: true, Part: 5 * mib,
					Reopen: func(t *testing.T, st storage.Store) storage.Store {
						c := config(t, s, bucket, "")
						c.URL = st.Properties().URL
						return small(twin(t, probed, c))
					},
				})
			})
		}
	})
}

// nothingLeft wants no upload that goes on, and no note of one.
func nothingLeft(t *testing.T, s *s3test.Server, bucket string, st *s3.Store) {
	t.Helper()
	ctx := context.Background() // the test's has ended
	for o := range s.Client(t).ListObjectsIter(ctx, bucket, minio.ListObjectsOptions{Prefix: st.Name(s3.Private) + "/", Recursive: true}) {
		t.Errorf("left is %q, %v", o.Key, o.Err)
	}
	for u := range s.Client(t).ListIncompleteUploads(ctx, bucket, st.Name("storagetest/streams/pending"), true) {
		t.Errorf("an upload goes on: %q, %v", u.Key, u.Err)
	}
}

// fill makes many small objects with few requests each.
func fill(t *testing.T, s *s3test.Server, bucket string, st *s3.Store, keys []asset.Key) {
	t.Helper()
	const writers = 16
	client := minio.Core{Client: s.Client(t)}
	errs := make([]error, writers)
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for i := w; i < len(keys) && errs[w] == nil; i += writers {
				_, errs[w] = client.PutObject(t.Context(), bucket, st.Name(keys[i]), bytes.NewReader([]byte("x")), 1, "", "",
					minio.PutObjectOptions{DisableContentSha256: true})
			}
		})
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}
