package node

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"hotfolderd/asset"
	"hotfolderd/config"
	"hotfolderd/leases/consul/consultest"
)

// ask sends one request to the node and returns the status and what was said.
func (r *running) ask(method, path string, body []byte) (int, string) {
	r.t.Helper()
	req, err := http.NewRequest(method, "http://"+r.web.Addr()+path, bytes.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

func TestFiles_aFullDiskAnswers507AndKeepsWhatIsThere(t *testing.T) {
	if !mayMount(t) {
		return
	}
	disk := tmpfs(t, "size=16m")
	r := start(t, withWeb(options(t, filepath.Join(disk, "store"), rule("inbox"))))
	within(t, 30*time.Second, "active", func() bool { return r.State() == "active" })
	if status, text := r.ask("PUT", "/v1/workarea/kept", []byte("kept")); status != http.StatusCreated {
		t.Fatalf("want 201, got %d %s", status, text)
	}
	free := fillSpace(t, disk, 256<<10)
	large := bytes.Repeat([]byte("x"), 4<<20)
	for _, path := range []string{"/v1/workarea/new", "/v1/workarea/kept"} {
		if status, text := r.ask("PUT", path, large); status != http.StatusInsufficientStorage {
			t.Errorf("%s: want 507, got %d %s", path, status, text)
		}
	}
	if status, text := r.ask("GET", "/v1/workarea/kept", nil); status != http.StatusOK || text != "kept" {
		t.Errorf("want what was there, got %d %s", status, text)
	}
	if status, _ := r.ask("GET", "/v1/workarea/new", nil); status != http.StatusNotFound {
		t.Errorf("want nothing left, got %d", status)
	}
	free()
	if status, text := r.ask("PUT", "/v1/workarea/new", large); status != http.StatusCreated {
		t.Errorf("want it stored when there is room, got %d %s", status, text)
	}
}

// TestFiles_changesByHandAreToldToAllNodes changes watched files on the share and looks at what other nodes forget.
func TestFiles_changesByHandAreToldToAllNodes(t *testing.T) {
	server, dir := consultest.Start(t), t.TempDir()
	var nodes []*running
	for _, id := range []string{"a", "b"} {
		o := withWeb(options(t, dir, rule("inbox")))
		o.Settings.Node.ID = id
		o.Settings.Cluster.Consul, o.Settings.Cluster.Namespace = []string{server.Addr}, consultest.Namespace(t)
		o.Settings.Workarea.Watch = []string{"watched", "watched/within"}
		nodes = append(nodes, start(t, o))
	}
	for _, r := range nodes {
		within(t, time.Minute, "active", func() bool { return r.State() == "active" })
	}
	folder := filepath.Join(dir, "workarea/files/watched/deep")
	write(t, filepath.Join(folder, "f"), []byte("before"))
	path := asset.Key("workarea/files/watched/deep/f")
	told := func(what string, change func() error) {
		t.Helper()
		for try := 0; ; try++ { // the watch may just begin
			before := quiet(nodes)
			if err := change(); err != nil {
				t.Fatal(err)
			}
			done := false
			for end := time.Now().Add(20 * time.Second); time.Now().Before(end) && !done; time.Sleep(50 * time.Millisecond) {
				after := heardOf(nodes)
				done = after[0] > before[0] && after[1] > before[1]
			}
			if done {
				return
			}
			if try == 3 {
				t.Fatalf("%s: nodes did not hear of %s: before %v, after %v", what, path, before, heardOf(nodes))
			}
		}
	}
	n := 0
	told("changed in place", func() error {
		n++
		return os.WriteFile(filepath.Join(folder, "f"), fmt.Append(nil, "other ", n), 0o666)
	})
	told("renamed over", func() error {
		n++
		write(t, filepath.Join(folder, ".new"), fmt.Append(nil, "renamed ", n))
		return os.Rename(filepath.Join(folder, ".new"), filepath.Join(folder, "f"))
	})
	told("removed", func() error {
		write(t, filepath.Join(folder, "f"), []byte("again"))
		time.Sleep(time.Second)
		return os.Remove(filepath.Join(folder, "f"))
	})
	if !slices.Contains([]bool{nodes[0].onDuty(), nodes[1].onDuty()}, true) {
		t.Error("no node has the duty")
	}
}

// quiet waits until nothing is told for a while.
func quiet(nodes []*running) []uint64 {
	for last := heardOf(nodes); ; {
		time.Sleep(time.Second)
		now := heardOf(nodes)
		if slices.Equal(last, now) {
			return now
		}
		last = now
	}
}

func withWeb(o Options) Options {
	o.Settings.Node.Roles = []string{config.RoleImport, config.RoleWeb}
	o.Settings.HTTP.Listen = "127.0.0.1:0"
	return o
}

// heardOf is how many changes each node has told or heard of.
func heardOf(nodes []*running) (counts []uint64) {
	for _, r := range nodes {
		s := r.news.Status()
		counts = append(counts, s.Published+s.Applied)
	}
	return counts
}

func TestWatched_leavesOutWhatIsWithinAnother(t *testing.T) {
	for _, c := range []struct {
		set  []string
		want []asset.Key
	}{
		{nil, nil},
		{[]string{"a", "*"}, []asset.Key{asset.Root}},
		{[]string{"a/c", "a-b", "a", "a/b/c", "b/x", "a"}, []asset.Key{"a", "a-b", "b/x"}},
	} {
		if got := watched(c.set); !slices.Equal(got, c.want) {
			t.Errorf("%q: want %q, got %q", c.set, c.want, got)
		}
	}
}
