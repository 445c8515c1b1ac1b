package files_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"hotfolderd/asset"
	"hotfolderd/storage"
	"hotfolderd/storage/posix"
	"hotfolderd/storage/s3"
	"hotfolderd/storage/s3/s3test"
	"hotfolderd/storage/storagetest"
	"hotfolderd/workarea/files"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("net/http.(*persistConn).readLoop"), goleak.IgnoreTopFunction("net/http.(*persistConn).writeLoop"))
}

// onStores runs a test with three nodes on a folder, on a folder that is treated as a share, and in a bucket.
func onStores(t *testing.T, test func(t *testing.T, nodes []storage.Store)) {
	folder := func(o posix.Options) func(t *testing.T) storage.Store {
		return func(t *testing.T) storage.Store {
			s, err := posix.Open(t.Context(), filepath.Dir(t.TempDir()), o)
			return storagetest.Closing(t, s, err)
		}
	}
	for name, o := range map[string]posix.Options{"folder": {}, "share": {Remote: true}} {
		t.Run(name, func(t *testing.T) { test(t, nodesOf(t, folder(o))) })
	}
	for name, server := range s3test.Servers() {
		t.Run(name, func(t *testing.T) {
			s := server(t)
			c := s3.Config{
				URL: s.URL(s.Bucket(t), "pre"), CredentialsFile: s3test.Credentials(t), CA: s.CA, Use: s3.ForWorkArea, Spool: t.TempDir(),
			}
			test(t, nodesOf(t, func(t *testing.T) storage.Store {
				st, err := s3.Open(t.Context(), c)
				return storagetest.Closing(t, st, err)
			}))
		})
	}
}

func nodesOf(t *testing.T, open func(*testing.T) storage.Store) (all []storage.Store) {
	for range 3 {
		all = append(all, open(t))
	}
	return all
}

func trees(nodes []storage.Store, c *changes) (all []*files.Tree) {
	for _, n := range nodes {
		all = append(all, files.New(n, "workarea/files", c))
	}
	return all
}

// changes remembers what was told.
type changes struct {
	mu   sync.Mutex
	told []asset.Key
	open int
	no   error
}

func (c *changes) Begin(_ context.Context, name asset.Key) (func(context.Context) error, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.no != nil {
		return nil, c.no
	}
	c.open++
	return func(context.Context) error {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.open--
		c.told = append(c.told, name)
		return nil
	}, nil
}

// always, ifTag and ifNone are conditions.
func always(string, bool) error { return nil }

var errNo = errors.New("the condition does not hold")

func ifTag(tag string) files.Condition {
	return func(now string, there bool) error {
		if !there || now != tag {
			return errNo
		}
		return nil
	}
}

func ifNone(_ string, there bool) error {
	if there {
		return errNo
	}
	return nil
}

func put(t *testing.T, tree *files.Tree, path asset.Key, content string) files.File {
	t.Helper()
	f, _, err := tree.Put(t.Context(), path, strings.NewReader(content), always, nil)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func wantContent(t *testing.T, tree *files.Tree, path asset.Key, want string) files.File {
	t.Helper()
	r, f, err := tree.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got, err := io.ReadAll(r); err != nil || string(got) != want {
		t.Fatalf("%s: want %q, got %q, %v", path.Quoted(), want, got, err)
	}
	return f
}

// onDisk is the path of a file, where the store is a folder.
func onDisk(t *testing.T, s storage.Store, path string) string {
	t.Helper()
	return filepath.Join(s.(*posix.Store).Dir(), "workarea/files", path)
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, []byte(content), 0o666)); err != nil {
		t.Fatal(err)
	}
}
