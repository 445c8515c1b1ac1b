package cluster_test

import (
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"hotfolderd/leases/consul"
	"hotfolderd/leases/consul/consultest"
)

// exitSettings: only a change of the settings helps.
const exitSettings = 78

// refused starts the node, which must end by itself with this exit code, and returns what it said.
func (p *process) refused(code int) string {
	p.t.Helper()
	p.start()
	ended := make(chan error, 1)
	go func() { ended <- p.wait() }()
	select {
	case err := <-ended:
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != code {
			p.t.Fatalf("%s: want exit code %d, got %v\n%s", p.id, code, err, p.log)
		}
	case <-time.After(time.Minute):
		p.signal(9)
		p.t.Fatalf("%s was not refused:\n%s", p.id, p.log)
	}
	return p.log.String()
}

// says fails unless a text has all words.
func says(t testing.TB, text string, words ...string) {
	t.Helper()
	for _, word := range words {
		if !has(text, word) {
			t.Errorf("want the words %q in:\n%s", word, text)
		}
	}
}

// has reports whether a text has all words.
func has(text string, words ...string) bool {
	return !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(text, word) })
}

// twin is another node with the settings of p in which old is replaced by new, at another address and with a home of its own.
func (w *world) twin(p *process, old, new string) *process {
	w.t.Helper()
	home := filepath.Join(w.dir, "twin-"+freeAddr(w.t))
	q := &process{t: w.t, id: "twin of " + p.id, addr: freeAddr(w.t), home: home, settings: filepath.Join(home, "hotfolderd.yaml")}
	data, err := os.ReadFile(p.settings)
	if err != nil {
		w.t.Fatal(err)
	}
	write(w.t, q.settings, strings.NewReplacer(p.addr, q.addr, old, new).Replace(string(data)))
	w.t.Cleanup(q.kill)
	return q
}

// instance is of the start of a node that answers.
func (p *process) instance() string {
	res, err := client.Get("http://" + p.addr + "/livez")
	if err != nil {
		return ""
	}
	res.Body.Close()
	return res.Header.Get("Hotfolder-Instance")
}

func TestStart_aSecondNodeWithTheSameIDIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, []string{consultest.Start(t).Addr}, 2)
	w.begin()
	w.awaitWhole(w.nodes...)
	a := w.nodes[0]
	d, stop, before := w.drops(), make(chan struct{}), a.instance()
	ended := d.stream(50, stop)
	twin := w.twin(a, "", "")
	begin := time.Now()
	says(t, twin.refused(exitSettings), "the node id is taken", `"a"`, a.addr, "node.id")
	t.Logf("refused after %v", time.Since(begin).Round(time.Millisecond))
	if again := w.twin(a, "", ""); !strings.Contains(again.refused(exitSettings), a.addr) {
		t.Error("the second time it does not name the other's address")
	}
	close(stop)
	<-ended
	d.awaitGone(time.Minute)
	d.audit(t)
	if now := a.instance(); now != before || a.log.has("lost") || a.view().states() != "a:active b:active" {
		t.Errorf("the first node was disturbed: %s was %s, %s\n%s", now, before, a.view().states(), a.log)
	}
}

// A node that was killed has a session in Consul that lives on for up to twice its TTL.
func TestStart_aNodeThatWasKilledStartsAgainAtOnce(t *testing.T) {
	t.Parallel()
	for name, others := range map[string]int{"alone": 0, "beside others": 2} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, []string{consultest.Start(t).Addr}, 1+others) // with the TTL of 10 s
			w.begin()
			w.awaitWhole(w.nodes...)
			a := w.nodes[0]
			a.kill()
			begin := time.Now()
			a.start()
			within(t, 5*time.Second, "the node is active again", func() bool { return a.state() == "active" }, a.log)
			t.Logf("active again after %v", time.Since(begin).Round(time.Millisecond))
			w.awaitWhole(w.nodes...)
		})
	}
}

func TestStart_anotherStoreIsRefused(t *testing.T) {
	t.Parallel()
	server := consultest.Start(t)
	w := newWorld(t, []string{server.Addr}, 1)
	w.begin()
	other := w.twin(w.nodes[0], w.store, filepath.Join(w.dir, "other"))
	other = w.twin(other, "id: a", "id: b")
	write(t, filepath.Join(w.dir, "other", "hotfolders", "inbox", ".keep"), "")
	says(t, other.refused(exitSettings), "another store", "namespace", "mount the share that the other nodes have")
	if n := len(w.nodes[0].view().Members); n != 1 {
		t.Errorf("want 1 member, got %d", n)
	}
	w.nodes[0].stop() // the manual says how to begin with another store
	if _, err := server.Client(t).KV().Delete(consul.Root(consultest.Namespace(t))+"store", nil); err != nil {
		t.Fatal(err)
	}
	other.start()
	other.awaitReady()
	says(t, w.nodes[0].refused(exitSettings), "another store")
}

func TestStart_aloneAndTogetherDoNotShareAStore(t *testing.T) {
	t.Parallel()
	w := newWorld(t, []string{consultest.Start(t).Addr}, 2)
	a := w.nodes[0]
	alone := w.twin(w.nodes[1], "consul: ["+w.consul[0]+"]", "consul: []")
	a.start()
	a.awaitReady()
	says(t, alone.refused(exitSettings), "belongs to another cluster", "alone", "cluster.consul")
	a.stop()

	alone.mustAdopt("nodes that are alone", "now")
	alone.start()
	alone.awaitReady()
	if r, err := alone.do(http.MethodGet, "/v1/cluster", "", ""); err != nil || r.status != http.StatusNotImplemented {
		t.Errorf("a node that is alone about its cluster: %v, %v", r, err)
	}
	says(t, a.refused(1), "alone", w.store)
	alone.stop()
	a.start()
	a.awaitReady()
}
