//go:build nfslab

package cluster_test

import (
	"bufio"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"hotfolderd/test/nfslab"
	"hotfolderd/test/nfslab/guest"
)

// TestNFS_aServerThatIsAwayIsSaidAndNothingIsLost has the server stand still for HOTFOLDERD_AWAY seconds, two minutes when it does not
// say, while nodes import from it.
func TestNFS_aServerThatIsAwayIsSaidAndNothingIsLost(t *testing.T) {
	l := nfslab.Start(t, 3, 1024)
	w := nfsNodes(t, l, "4.2", longLease)
	w.beginInGuests()
	d := w.drops()
	d.some(40)
	d.awaitTaken(patience)
	before := w.watchHTTP(t, 5*time.Second)
	d.some(40) // some of these are in hand now
	gone := time.Now()
	l.Server.Stop()
	for _, p := range w.nodes {
		within(t, patience, "the inbox is red on "+p.id, func() bool { return p.inboxSays("bad", "does not answer") }, w)
		t.Logf("%s says so after %v", p.id, time.Since(gone).Round(100*time.Millisecond))
	}
	during := w.watchHTTP(t, time.Until(gone.Add(time.Duration(env(t, "HOTFOLDERD_AWAY", 120))*time.Second)))
	l.Server.Continue()
	back := time.Now()
	d.some(40)
	d.awaitTaken(patience)
	t.Logf("all taken %v after it was back", time.Since(back).Round(100*time.Millisecond))
	for _, p := range w.nodes {
		within(t, patience, "the inbox is well on "+p.id, func() bool { return p.inboxSays("ok", "") }, w)
	}
	d.audit(t)
	t.Logf("before: %v\nwhile it was away: %v", before, during)
	for id, was := range before {
		if now := during[id]; now.threads > was.threads+256 || now.goroutines > was.goroutines+600 {
			t.Errorf("%s: want its threads and goroutines bounded, got %v and before %v", id, now, was)
		}
	}
}

// asked is what was seen of a node for a while: how long its pages took, and the most that it held.
type asked struct {
	pages, bare                 times // bare is a word with another program on the same machine
	threads, goroutines, memory float64
}

// watchHTTP asks each node in turn for a while.
func (w *world) watchHTTP(t *testing.T, d time.Duration) map[string]*asked {
	t.Helper()
	all := map[string]*asked{}
	for _, p := range w.nodes {
		all[p.id] = &asked{}
	}
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		for i, p := range w.nodes {
			s := all[p.id]
			for _, route := range []string{"/livez", "/v1/hotfolders", "/v1/cluster"} {
				bare := make(chan time.Duration, 1)
				go func() { bare <- w.pings(i) }() // at the same moment
				begin := time.Now()
				if !p.get(route, nil) {
					t.Logf("%s: no answer for %s in %v", p.id, route, time.Since(begin).Round(time.Millisecond))
				}
				took, other := time.Since(begin), <-bare
				s.pages, s.bare = append(s.pages, took), append(s.bare, other)
				if took > slowPage {
					t.Logf("%s took %v for %s, and %v for a word with another program", p.id, took.Round(time.Millisecond), route, other.Round(time.Millisecond))
				}
			}
			now := p.metrics()
			s.threads, s.goroutines = max(s.threads, now["go_threads"]), max(s.goroutines, now["go_goroutines"])
			s.memory = max(s.memory, now["process_resident_memory_bytes"])
		}
	}
	return all
}

// slowPage is what no page should take.
const slowPage = 100 * time.Millisecond

// pings is how long a word with the guest of a node takes, in which no store and no code of the node has a part.
func (w *world) pings(i int) time.Duration {
	begin := time.Now()
	w.tree.(nfsTree).l.Clients[i].Call("Ping", guest.None{}, &guest.None{})
	return time.Since(begin)
}

func (s *asked) String() string {
	return s.pages.String() + " (a word with another program there " + s.bare.String() + "), at most " + strconv.Itoa(int(s.threads)) + " threads, " + strconv.Itoa(int(s.goroutines)) + " goroutines, " +
		strconv.Itoa(int(s.memory)>>20) + " MiB"
}

// metrics are those of a node that have no labels.
func (p *process) metrics() map[string]float64 {
	req, err := http.NewRequest(http.MethodGet, "http://"+p.addr+"/metrics", nil)
	if err != nil {
		p.t.Fatal(err)
	}
	p.show(req)
	client := http.Client{Timeout: 5 * time.Second}
	res, err := client.Do(req)
	if err != nil {
		return nil
	}
	defer res.Body.Close()
	all := map[string]float64{}
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		name, value, ok := strings.Cut(lines.Text(), " ")
		if v, err := strconv.ParseFloat(value, 64); ok && err == nil {
			all[name] = v
		}
	}
	return all
}

// inboxSays reports whether the hotfolder is at this level on that node, for this reason.
func (p *process) inboxSays(level, reason string) bool {
	var all struct {
		Hotfolders []struct{ Name, Level, Reason string }
	}
	if !p.get("/v1/hotfolders", &all) {
		return false
	}
	for _, f := range all.Hotfolders {
		if f.Name == "inbox" {
			return f.Level == level && strings.Contains(f.Reason, reason)
		}
	}
	return false
}
