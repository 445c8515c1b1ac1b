package jobs_test

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"hotfolderd/asset"
	"hotfolderd/storage"
	"hotfolderd/storage/posix"
	"hotfolderd/storage/s3"
	"hotfolderd/storage/s3/s3test"
	"hotfolderd/storage/storagetest"
	"hotfolderd/workarea/jobs"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("net/http.(*persistConn).readLoop"), goleak.IgnoreTopFunction("net/http.(*persistConn).writeLoop"))
}

// onStores runs a test with three nodes on a folder and in a bucket of a server that replaces on condition, and of one that does not.
func onStores(t *testing.T, l jobs.Limits, test func(t *testing.T, h *house)) {
	t.Run("folder", func(t *testing.T) {
		dir := t.TempDir()
		test(t, newHouse(t, l, func() storage.Store {
			s, err := posix.Open(t.Context(), dir, posix.Options{})
			return storagetest.Closing(t, s, err)
		}))
	})
	for name, server := range s3test.Servers() {
		t.Run(name, func(t *testing.T) {
			s := server(t)
			c := s3.Config{
				URL: s.URL(s.Bucket(t), "pre"), CredentialsFile: s3test.Credentials(t), CA: s.CA, Use: s3.ForWorkArea, Spool: t.TempDir(),
			}
			test(t, newHouse(t, l, func() storage.Store {
				st, err := s3.Open(t.Context(), c)
				return storagetest.Closing(t, st, err)
			}))
		})
	}
}

// house has three nodes on one store.
type house struct {
	t      *testing.T
	limits jobs.Limits
	stores []storage.Store
	nodes  []*jobs.Jobs
}

func newHouse(t *testing.T, l jobs.Limits, open func() storage.Store) *house {
	h := &house{t: t, limits: l}
	for i := range 3 {
		h.stores = append(h.stores, open())
		h.nodes = append(h.nodes, h.node(i, h.stores[i]))
	}
	return h
}

// node is one that thinks all others alive, but for those that are dead.
func (h *house) node(i int, s storage.Store) *jobs.Jobs {
	j := jobs.New(jobs.Options{
		Store: s, Node: fmt.Sprint("node-", i), Instance: fmt.Sprint("instance-", i), Limits: h.limits,
		Live: func(instance string) bool { return !strings.HasPrefix(instance, "dead") },
	})
	h.t.Cleanup(j.Close)
	return j
}

func (h *house) create(w jobs.Wanted) jobs.Job {
	h.t.Helper()
	j, err := h.nodes[0].Create(h.t.Context(), w)
	if err != nil {
		h.t.Fatal(err)
	}
	return j
}

func always(string, bool) error { return nil }

// put writes a file of a job through a node.
func (h *house) put(node int, id string, path asset.Key, content string) error {
	tree, budget, done, err := h.nodes[node].Files(h.t.Context(), id)
	if err != nil {
		return err
	}
	defer done()
	_, _, err = tree.Put(h.t.Context(), path, strings.NewReader(content), always, budget)
	return err
}

func (h *house) sweep(node int) int {
	h.t.Helper()
	n, err := h.nodes[node].Sweep(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	return n
}

// bytes are those of a job on the store, wherever they are.
func (h *house) bytes(id string) (sum int64) {
	h.t.Helper()
	for _, folder := range []asset.Key{"jobs", "jobs-ended"} {
		for o, err := range h.stores[0].List(h.t.Context(), asset.Key("workarea").Join(folder).Join(asset.Key(id)), storage.ListOptions{Recursive: true}) {
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				h.t.Fatal(err)
			}
			if o.Kind != storage.Directory {
				sum += o.Size
			}
		}
	}
	return sum
}

// gone reports whether nothing is left of a job.
func (h *house) gone(id string) bool {
	_, err := h.nodes[1].Get(h.t.Context(), id)
	_, note := h.stores[1].Stat(h.t.Context(), asset.Key("workarea/job-notes/"+id+".json"))
	return errors.Is(err, fs.ErrNotExist) && errors.Is(note, fs.ErrNotExist) && h.bytes(id) == 0
}

// folder is where a job is on this machine.
func (h *house) folder(id string) string {
	return filepath.Join(h.stores[0].(*posix.Store).Dir(), "workarea/jobs", id)
}

// within polls until ok says yes.
func within(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(60 * time.Second); !ok(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within a minute: %s", what)
		}
	}
}
