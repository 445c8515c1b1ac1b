package node

import (
	"context"
	"fmt"
	"io/fs"
	"iter"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"hotfolderd/admin"
	"hotfolderd/asset"
	"hotfolderd/leases/consul/consultest"
	"hotfolderd/storage"
)

// listed is a share that sends no events, and counts how often the inbox is listed whole.
type listed struct {
	storage.Store
	whole atomic.Int64
	hold  atomic.Pointer[chan struct{}] // such a listing stops in its middle until this is closed
}

func (s *listed) Properties() storage.Properties {
	p := s.Store.Properties()
	p.Remote = true
	return p
}

func (s *listed) List(ctx context.Context, prefix asset.Key, o storage.ListOptions) iter.Seq2[storage.Object, error] {
	if prefix != "hotfolders/inbox" || !o.Recursive {
		return s.Store.List(ctx, prefix, o)
	}
	s.whole.Add(1)
	return func(yield func(storage.Object, error) bool) {
		seen := 0
		for obj, err := range s.Store.List(ctx, prefix, o) {
			if seen++; seen == 20 {
				s.stand(ctx)
			}
			if !yield(obj, err) {
				return
			}
		}
	}
}

func (s *listed) stand(ctx context.Context) {
	if hold := s.hold.Load(); hold != nil {
		select {
		case <-*hold:
		case <-ctx.Done():
		}
	}
}

// onShare are nodes of a cluster with one share; what lies in its inbox before they start is made by lie.
func onShare(t *testing.T, ids []string, lie func(inbox string)) (nodes []*running, stores []*listed) {
	t.Helper()
	server, dir := consultest.Start(t), t.TempDir()
	lie(dir + "/hotfolders/inbox")
	for _, id := range ids {
		o := withWeb(options(t, dir, rule("inbox")))
		o.Settings.Node.ID, o.Memory = id, t.TempDir()
		o.Settings.Cluster.Consul, o.Settings.Cluster.Namespace = []string{server.Addr}, consultest.Namespace(t)
		s := &listed{}
		o.Wrap = func(inner storage.Store) storage.Store { s.Store = inner; return s }
		nodes, stores = append(nodes, start(t, o)), append(stores, s)
	}
	for _, r := range nodes {
		within(t, soon, "each has its share", func() bool { return r.State() == admin.Active && len(r.claims.shares.Status()) > 256/len(ids)/2 })
	}
	return nodes, stores
}

func layPictures(t *testing.T, inbox, prefix string, n int) {
	t.Helper()
	for i := range n {
		write(t, fmt.Sprintf("%s/%s-%03d.jpg", inbox, prefix, i), jpeg(2000, uint64(i)))
	}
}

func awaitEmpty(t *testing.T, inbox string) {
	t.Helper()
	within(t, soon, "all is imported", func() bool {
		left, err := os.ReadDir(inbox)
		return err == nil && len(left) == 0
	})
}

// wholeScans are the listings of each node since the last call.
func wholeScans(stores []*listed) (all []int64) {
	for _, s := range stores {
		all = append(all, s.whole.Swap(0))
	}
	return all
}

// looker is the place of the node that looks for all.
func looker(t *testing.T, nodes []*running) (at int) {
	t.Helper()
	within(t, soon, "one looks for all", func() bool {
		for i, r := range nodes {
			if r.claims.Mine("inbox", asset.Root) {
				at = i
				return true
			}
		}
		return false
	})
	return at
}

func TestLoans_oneNodeScansForAll(t *testing.T) {
	t.Parallel()
	nodes, stores := onShare(t, []string{"a", "b", "c"}, func(inbox string) { layPictures(t, inbox, "lying", 100) })
	inbox := nodes[0].inbox("")
	awaitEmpty(t, inbox)
	at := looker(t, nodes)
	wholeScans(stores)
	for round := range 3 {
		layPictures(t, inbox, fmt.Sprint("round", round), 60)
		if err := nodes[(at+1)%3].scan(t.Context(), "inbox"); err != nil {
			t.Fatal(err)
		}
		awaitEmpty(t, inbox)
	}
	within(t, soon, "all are counted", func() bool { return imports(nodes) == 100+180 })
	scans := wholeScans(stores)
	for i, n := range scans {
		if i != at && n > 0 {
			t.Errorf("want all scans by %s, got %v by all", nodes[at].o.Settings.Node.ID, scans)
		}
	}
	if scans[at] == 0 {
		t.Error("want scans by the one that looks, got none: this test sees nothing")
	}
}

// The listing of the node that scans for all stops in its middle, and then the node ends; the others find their drops themselves.
func TestLoans_oneThatStandsStillAndEndsInAScanLosesNothing(t *testing.T) {
	t.Parallel()
	nodes, stores := onShare(t, []string{"a", "b", "c"}, func(inbox string) { write(t, inbox+"/.stays", nil) })
	inbox := nodes[0].inbox("")
	at := looker(t, nodes)
	hold := make(chan struct{})
	stores[at].hold.Store(&hold)
	wholeScans(stores)
	layPictures(t, inbox, "drop", 120)
	if err := nodes[at].scan(t.Context(), "inbox"); err != nil {
		t.Fatal(err)
	}
	within(t, soon, "the others scan themselves", func() bool {
		return stores[(at+1)%3].whole.Load() > 0 && stores[(at+2)%3].whole.Load() > 0
	})
	nodes[at].end()
	close(hold)
	within(t, soon, "all is imported", func() bool {
		left, err := fs.Glob(os.DirFS(inbox), "drop*")
		return err == nil && len(left) == 0
	})
	if got := len(records(t, nodes[(at+1)%3].main)); got != 120 {
		t.Errorf("want a record for each of 120, got %d", got)
	}
}

// Nodes with other rules would look at other things.
func TestLend_isRefusedToOneWithOtherRules(t *testing.T) {
	t.Parallel()
	nodes, _ := onShare(t, []string{"a", "b"}, func(inbox string) { write(t, inbox+"/.stays", nil) })
	at := looker(t, nodes)
	for rules, want := range map[string]int{nodes[at].rulesHash: http.StatusOK, "others": http.StatusConflict} {
		ask := fmt.Sprintf(`{"hotfolder":"inbox","rules":%q,"holds":"%s"}`, rules, strings.Repeat("1", 256))
		if got, text := nodes[at].ask("POST", "/v1/scans", []byte(ask)); got != want || want == 200 && !strings.Contains(text, `"ended":true`) {
			t.Errorf("rules %.10s: want %d, got %d %s", rules, want, got, text)
		}
	}
}
