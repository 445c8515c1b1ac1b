package cluster_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hotfolderd/leases/consul/consultest"
)

// Who waits for the import of a folder's files goes on waiting at another node when the one that took them dies.
func TestCLI_dropWaitsAtAnotherNodeWhenOneDies(t *testing.T) {
	t.Parallel()
	w := newWorld(t, []string{consultest.Start(t).Addr}, 3)
	w.begin()
	w.awaitWhole(w.nodes...)
	outside := w.twin(w.nodes[0], "id: a", "id: batch")
	const count = 40
	for n := range count {
		write(t, filepath.Join(w.dir, "tree", fmt.Sprint(n%3), fmt.Sprintf("%02d.txt", n)), fmt.Sprint("file ", n))
	}
	w.nodes[0].must(200, "POST", "/v1/hotfolders/inbox/pause", "", "")
	w.awaitPaused(true)
	type end struct {
		out string
		err error
	}
	ended := make(chan end, 1)
	go func() {
		out, err := outside.hotfolderd("drop", "-r", filepath.Join(w.dir, "tree"), "inbox/of", "--wait", "--server", w.nodes[0].addr)
		ended <- end{out, err}
	}()
	within(t, time.Minute, "some are sent", func() bool { return len(files(w.inbox("of"))) > 30 }, w)
	var others []*process
	died := 0
	for _, p := range w.nodes {
		if died == 0 && strings.Contains(p.must(200, "GET", "/metrics", "", "").body, `hotfolder_http_requests_total{route="/v1/uploads/{id}"`) {
			p.kill()
			died++
			continue
		}
		others = append(others, p)
	}
	if died != 1 {
		t.Fatal("no node says that it took them")
	}
	others[0].must(200, "POST", "/v1/hotfolders/inbox/resume", "", "")
	select {
	case e := <-ended:
		if e.err != nil || strings.Count(e.out, "imported as inbox/of/") != count || !strings.Contains(e.out, "going on at") || !strings.Contains(e.out, fmt.Sprint(count, " files, ")) {
			t.Errorf("want all imported, at another node, got %v\n%s", e.err, e.out)
		}
	case <-time.After(2 * time.Minute):
		t.Fatalf("it still waits\n%s", w)
	}
}
