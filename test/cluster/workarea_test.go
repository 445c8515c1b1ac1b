package cluster_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"hotfolderd/leases/consul/consultest"
	"hotfolderd/storage/s3/s3test"
)

// jobSettings make jobs short, for tests. They end the block of the cluster.
const jobSettings = "workarea: { jobs: { ttl: 20s, quota: 4MB } }\n"

// TestWorkarea_byThreeNodes is one world for each store, with one subject after the other.
func TestWorkarea_byThreeNodes(t *testing.T) {
	for name, w := range map[string]func(t *testing.T) *world{
		"folder": func(t *testing.T) *world { return newWorld(t, []string{consultest.Start(t).Addr}, 3, jobSettings) },
		"bucket": func(t *testing.T) *world {
			w := bucketWorld(t, s3test.MinIO(t))
			w.three(t, jobSettings)
			return w
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := w(t)
			w.begin()
			w.oneWriterWins(t)
			w.cutPutLeavesNothing(t)
			w.quotaHolds(t)
			w.deadJobsAreSwept(t)
		})
	}
}

// oneWriterWins lets many write on one tag, at all nodes.
func (w *world) oneWriterWins(t *testing.T) {
	for round := range 5 {
		path := fmt.Sprintf("/v1/workarea/race/%d", round)
		first := w.nodes[round%3].must(http.StatusCreated, http.MethodPut, path, "", "as it was")
		tag := w.tagOf(t, w.nodes[(round+1)%3], path, first.index)
		statuses := w.atOnce(12, func(i int) int {
			return w.nodes[i%3].on(http.MethodPut, path, "If-Match", tag, fmt.Sprint("writer ", i))
		})
		won := -1
		for i, s := range statuses {
			switch {
			case s == http.StatusOK && won < 0:
				won = i
			case s != http.StatusPreconditionFailed:
				t.Fatalf("want one 200 and 412 for all others, got %v", statuses)
			}
		}
		if won < 0 {
			t.Fatalf("want a winner, got %v", statuses)
		}
		for _, p := range w.nodes {
			if r := p.must(http.StatusOK, http.MethodGet, path, "", ""); r.body != fmt.Sprint("writer ", won) {
				t.Errorf("%s: want the bytes of writer %d, got %q", p.id, won, r.body)
			}
		}
	}
}

func (w *world) tagOf(t *testing.T, p *process, path, index string) string {
	t.Helper()
	req, err := http.NewRequest(http.MethodHead, "http://"+p.addr+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Hotfolder-Index", index)
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if tag := res.Header.Get("ETag"); res.StatusCode == http.StatusOK && tag != "" {
		return tag
	}
	t.Fatalf("%s: HEAD %s answers %d", p.id, path, res.StatusCode)
	return ""
}

// on is a write on a condition; 0 when it has no answer.
func (p *process) on(method, path, header, value, body string) int {
	req, err := http.NewRequest(method, "http://"+p.addr+path, strings.NewReader(body))
	if err != nil {
		return 0
	}
	req.Header.Set(header, value)
	res, err := client.Do(req)
	if err != nil {
		return 0
	}
	res.Body.Close()
	return res.StatusCode
}

func (w *world) atOnce(n int, do func(i int) int) []int {
	statuses := make([]int, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { statuses[i] = do(i) })
	}
	all.Wait()
	return statuses
}

// cutPutLeavesNothing breaks connections in the middle of a body.
func (w *world) cutPutLeavesNothing(t *testing.T) {
	w.nodes[0].must(http.StatusCreated, http.MethodPut, "/v1/workarea/cut/kept", "", "kept")
	for i, path := range []string{"/v1/workarea/cut/new", "/v1/workarea/cut/kept"} {
		c, err := net.Dial("tcp", w.nodes[i].addr)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(c, "PUT %s HTTP/1.1\r\nHost: %s\r\nContent-Length: 20000000\r\n\r\n%s", path, w.nodes[i].addr, strings.Repeat("half", 1<<20))
		c.Close()
	}
	w.nodes[2].must(http.StatusOK, http.MethodGet, "/v1/workarea/cut/kept", "", "")
	time.Sleep(2 * time.Second) // for what a node might still do
	if r := w.nodes[2].must(http.StatusOK, http.MethodGet, "/v1/workarea/cut?list", "", ""); strings.Contains(r.body, "cut/new") {
		t.Errorf("want nothing left of a cut request, got %s", r.body)
	}
	if r := w.nodes[1].must(http.StatusOK, http.MethodGet, "/v1/workarea/cut/kept", "", ""); r.body != "kept" {
		t.Errorf("want what was there, got %d bytes", len(r.body))
	}
}

// aJob is what a node answers of one.
type aJob struct {
	ID     string `json:"id"`
	Folder string `json:"folder"`
	Files  string `json:"files"`
	Used   int64  `json:"used"`
	Quota  int64  `json:"quota"`
}

func (p *process) newJob(t *testing.T, body string) (j aJob) {
	t.Helper()
	if err := json.Unmarshal([]byte(p.must(http.StatusCreated, http.MethodPost, "/v1/jobs", "", body).body), &j); err != nil {
		t.Fatal(err)
	}
	return j
}

// quotaHolds lets many write to one job through all nodes, until nothing fits.
func (w *world) quotaHolds(t *testing.T) {
	const size = 50_000
	j := w.nodes[0].newJob(t, `{"owner": "quota", "ttl": "10m", "quota": "1MB"}`)
	body := strings.Repeat("q", size)
	statuses := w.atOnce(36, func(i int) int {
		return w.nodes[i%3].on(http.MethodPut, fmt.Sprintf("%sf%d", j.Files, i), "Accept", "*/*", body)
	})
	stored := 0
	for i, s := range statuses {
		switch s {
		case http.StatusCreated:
			stored++
		case http.StatusInsufficientStorage:
		default:
			t.Errorf("writer %d: want 201 or 507, got %d", i, s)
		}
	}
	var list struct {
		Files []struct {
			Size int64 `json:"size"`
		} `json:"files"`
	}
	if !w.nodes[1].get(j.Files+"?list", &list) {
		t.Fatal("the job's files cannot be listed")
	}
	var sum int64
	for _, f := range list.Files {
		sum += f.Size
	}
	if sum != int64(stored*size) || sum > 1_000_000 || stored == len(statuses) || stored == 0 {
		t.Errorf("want at most 1,000,000 bytes, and as many as were acknowledged; got %d of %d writes", sum, stored)
	}
	w.nodes[2].must(http.StatusNoContent, http.MethodDelete, "/v1/jobs/"+j.ID, "", "")
	w.nodes[0].must(http.StatusNotFound, http.MethodGet, "/v1/jobs/"+j.ID, "", "")
}

// worker is a real process that works for a job: it writes files, on the share where there is one and else by HTTP, until it is killed.
type worker struct {
	job aJob
	cmd *exec.Cmd
}

func (w *world) work(t *testing.T, i int) *worker {
	t.Helper()
	node := w.nodes[i%3]
	j := node.newJob(t, fmt.Sprintf(`{"owner": "worker %d"}`, i))
	put := func(p *process) string {
		return fmt.Sprintf(`curl -sf -m 5 -T /etc/hostname "http://%s%sby-http-$n" >/dev/null`, p.addr, j.Files)
	}
	write := put(node) + " || " + put(w.nodes[(i+1)%3])
	if w.store != "" && i%2 == 0 {
		write = fmt.Sprintf(`echo "$n" > "%s/by-hand-$n"`, j.Folder)
	}
	cmd := exec.Command("sh", "-c", "n=0; while :; do n=$((n+1)); "+write+"; sleep 3; done")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	wk := &worker{j, cmd}
	t.Cleanup(wk.kill)
	return wk
}

// kill ends the worker with what it started. Idempotent.
func (k *worker) kill() {
	if k.cmd.ProcessState == nil {
		_ = syscall.Kill(-k.cmd.Process.Pid, syscall.SIGKILL)
		_ = k.cmd.Wait()
	}
}

// deadJobsAreSwept kills 50 jobs and, when their sweep has begun, the node that does it.
func (w *world) deadJobsAreSwept(t *testing.T) {
	const dead, alive = 50, 6
	var workers []*worker
	for i := range dead + alive {
		workers = append(workers, w.work(t, i))
	}
	within(t, 2*time.Minute, "each has written", func() bool {
		for _, k := range workers {
			if len(w.filesOf(k.job)) == 0 {
				return false
			}
		}
		return true
	}, w)
	for _, k := range workers[:dead] {
		k.kill()
	}
	left := func() (n int) {
		for _, k := range workers[:dead] {
			if w.knows(k.job) {
				n++
			}
		}
		return n
	}
	within(t, 4*time.Minute, "the sweep has begun", func() bool { return left() < dead }, w)
	t.Logf("%d of %d are left when the node on duty is killed", left(), dead)
	sweeper := w.sweeper(t)
	sweeper.kill()
	within(t, 5*time.Minute, "the others sweep on", func() bool { return left() == 0 }, w)
	sweeper.start()
	sweeper.awaitReady()
	within(t, 3*time.Minute, "nothing is left of them on the store", func() bool {
		for _, k := range workers[:dead] {
			if w.leavings(k.job) {
				return false
			}
		}
		return true
	}, w)
	for _, k := range workers[dead:] {
		if !w.knows(k.job) || len(w.filesOf(k.job)) < 3 {
			t.Errorf("a job that lives is gone, or its files: %s, %v", k.job.ID, w.filesOf(k.job))
		}
		k.kill()
	}
}

// sweeper is the node that has ended a job.
func (w *world) sweeper(t *testing.T) *process {
	t.Helper()
	for _, p := range w.nodes {
		if p.log.has("a job has expired") {
			return p
		}
	}
	t.Fatal("no node says that it has ended a job")
	return nil
}

// knows reports whether any node knows the job.
func (w *world) knows(j aJob) bool {
	for _, p := range w.nodes {
		if r, err := p.do(http.MethodGet, "/v1/jobs/"+j.ID, "", ""); err == nil {
			return r.status == http.StatusOK
		}
	}
	return true
}

// leavings looks at the store itself.
func (w *world) leavings(j aJob) bool {
	for _, folder := range []string{"jobs", "jobs-ended", "job-notes"} {
		for _, name := range w.tree.list("workarea/" + folder) {
			if strings.Contains(name, j.ID) {
				return true
			}
		}
	}
	return false
}

// filesOf asks the store itself: a request would be a use.
func (w *world) filesOf(j aJob) []string { return w.tree.list("workarea/jobs/" + j.ID) }
