package cluster_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"hotfolderd/leases/consul/consultest"
)

const (
	historyPrefix  = "h" // of the names
	historyNames   = 6
	historyClients = 6
)

// TestChaos_historyIsOneThatCouldHaveBeen writes, drops and reads a few names through all nodes, and drops others, while nodes
// are killed, stopped and cut off and Consul is stopped. A checker then looks for an order in which all of it could have been
// done one after the other.
func TestChaos_historyIsOneThatCouldHaveBeen(t *testing.T) {
	t.Parallel()
	server := consultest.Start(t)
	link := consultest.NewLink(t, server)
	w := newWorld(t, []string{link.Addr}, 1, shortLease)
	w.consul = []string{server.Addr}
	w.add("b", "", shortLease)
	w.add("c", "", shortLease)
	w.begin()
	claims := w.watchClaims(server)
	w.makeHistory(t, func() {
		for range rounds(t, 5) {
			w.anyFault(server, link)
		}
	})
	claims.check(t)
}

// TestChaos_historyWithoutConsulsLeader is the same over three servers of Consul that lose their leader.
func TestChaos_historyWithoutConsulsLeader(t *testing.T) {
	t.Parallel()
	servers := consultest.StartCluster(t)
	w := newWorld(t, addresses(servers), 3)
	w.begin()
	w.makeHistory(t, func() {
		for i := range rounds(t, 2) {
			w.leaderRound(servers, i%2 == 0)
		}
	})
}

// makeHistory has clients at work beside a stream of drops until faults returns, and checks everything.
func (w *world) makeHistory(t *testing.T, faults func()) {
	t.Helper()
	h, d := newHistory(w), w.drops()
	stop := make(chan struct{})
	ended := []<-chan struct{}{d.stream(30, stop)}
	for range historyClients {
		ended = append(ended, h.client(stop))
	}
	faults()
	close(stop)
	for _, e := range ended {
		<-e
	}
	d.awaitTaken(time.Minute)
	h.readLast()
	d.audit(t)
	h.check(t)
}

// anyFault is one of those that one server of Consul bears.
func (w *world) anyFault(server *consultest.Server, link *consultest.Link) {
	w.t.Helper()
	time.Sleep(upTo(time.Second))
	switch victim := w.nodes[rand.IntN(len(w.nodes))]; rand.IntN(4) {
	case 0:
		w.note("killed %s", victim.id)
		victim.kill()
		time.Sleep(upTo(1500 * time.Millisecond))
		victim.start()
	case 1:
		w.note("stopped %s", victim.id)
		stopped := time.Now()
		victim.signal(syscall.SIGSTOP)
		time.Sleep(time.Second + upTo(3*time.Second))
		victim.signal(syscall.SIGCONT)
		w.pauses = append(w.pauses, pause{victim.id, stopped, time.Now()})
	case 2:
		w.note("cut off %s", w.nodes[0].id)
		link.Cut()
		time.Sleep(time.Second + upTo(3*time.Second))
		link.Mend()
	case 3:
		w.note("Consul stopped")
		server.Pause(w.t)
		time.Sleep(upTo(3 * time.Second))
		server.Resume(w.t)
	}
	w.note("whole again")
	for _, p := range w.nodes {
		p.awaitReady()
	}
}

// history is what clients asked for and were answered.
type history struct {
	w     *world
	begin time.Time

	mu      sync.Mutex
	ops     []done
	newest  map[string]written
	busy    map[string]bool // names that are being dropped
	clients int
}

// written is a write that was answered: its version, and the index that a read sends to see it.
type written struct {
	index   string
	version int
}

// done is one thing that a client did with a name.
type done struct {
	client  int
	what    string // put, drop or get
	node    string
	name    string
	content string // that was written or read; empty: there was none
	number  int    // version that a put was told, 0: nothing
	least   int    // version that a read must see at least
	call    time.Duration
	end     time.Duration // 0: nobody knows
}

func newHistory(w *world) *history {
	return &history{w: w, begin: time.Now(), newest: map[string]written{}, busy: map[string]bool{}}
}

// client works until stop is closed.
func (h *history) client(stop <-chan struct{}) <-chan struct{} {
	ended := make(chan struct{})
	h.mu.Lock()
	h.clients++
	id := h.clients
	h.mu.Unlock()
	go func() {
		defer close(ended)
		for {
			select {
			case <-stop:
				return
			case <-time.After(upTo(40 * time.Millisecond)):
			}
			name := nameOf(rand.IntN(historyNames))
			switch n := rand.IntN(20); {
			case n < 3:
				h.put(id, name)
			case n < 5:
				h.drop(id, name)
			default:
				h.get(id, name)
			}
		}
	}()
	return ended
}

func nameOf(i int) string { return fmt.Sprintf("%s%d.txt", historyPrefix, i) }

func (h *history) any() *process { return h.w.nodes[rand.IntN(len(h.w.nodes))] }

func (h *history) add(o done) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ops = append(h.ops, o)
}

func (h *history) now() time.Duration { return time.Since(h.begin) }

func text(name string) string { return fmt.Sprintf("%s %d", name, rand.Uint64()) }

// put writes through a node. A write without an answer may still happen at any time.
func (h *history) put(client int, name string) {
	p := h.any()
	o := done{client: client, what: "put", node: p.id, name: name, content: text(name), call: h.now()}
	r, err := p.do(http.MethodPut, "/v1/assets/inbox/"+name, "", o.content)
	if err == nil && r.status == http.StatusCreated {
		o.end, o.number = h.now(), numberOf(r.body)
		h.tell(name, written{r.index, o.number})
	}
	h.add(o)
}

// tell has later reads carry the index of the newest write.
func (h *history) tell(name string, w written) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if w.version > h.newest[name].version {
		h.newest[name] = w
	}
}

// drop puts a file into the hotfolder and waits until it was taken. A name has one drop at a time.
func (h *history) drop(client int, name string) {
	h.mu.Lock()
	busy := h.busy[name]
	h.busy[name] = true
	h.mu.Unlock()
	if busy {
		return
	}
	defer func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.busy[name] = false
	}()
	o := done{client: client, what: "drop", name: name, content: text(name)}
	tmp := filepath.Join(h.w.store, "incoming-"+name)
	write(h.w.t, tmp, o.content)
	o.call = h.now()
	if err := rename(tmp, h.w.inbox(name)); err != nil {
		h.w.t.Error(err)
		return
	}
	for end := time.Now().Add(time.Minute); !missing(h.w.inbox(name)); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			h.w.t.Errorf("the drop %s is not taken\n%v", name, h.w)
			break
		}
	}
	o.end = h.now()
	h.add(o)
}

// get reads through a node, with the index of the newest write that was answered. What has no answer is no part of the history.
func (h *history) get(client int, name string) {
	p := h.any()
	h.mu.Lock()
	newest := h.newest[name]
	h.mu.Unlock()
	o := done{client: client, what: "get", node: p.id, name: name, least: newest.version, call: h.now()}
	r, err := p.do(http.MethodGet, "/v1/assets/inbox/"+name, newest.index, "")
	o.end = h.now()
	switch {
	case err != nil || r.status == http.StatusServiceUnavailable:
		return
	case r.status == http.StatusOK:
		o.content = r.body
	case r.status != http.StatusNotFound:
		h.w.t.Errorf("%s: get %s: %v", p.id, name, r)
		return
	}
	h.add(o)
}

// readLast reads every name from every node after everything else.
func (h *history) readLast() {
	for i := range historyNames {
		for range 2 * len(h.w.nodes) {
			h.get(0, nameOf(i))
		}
	}
}

// check gives the history to the checker.
func (h *history) check(t *testing.T) {
	t.Helper()
	var ops []porcupine.Operation
	counts := map[string]int{}
	numbers := h.w.numbers()
	for _, o := range h.ops {
		in, ok := o.step(t, numbers)
		if !ok {
			counts["without effect"]++
			continue
		}
		counts[o.what]++
		end := o.end
		if end == 0 {
			counts["without an answer"]++
			end = h.now()
		}
		ops = append(ops, porcupine.Operation{ClientId: o.client, Input: in, Call: int64(o.call), Output: nil, Return: int64(end)})
	}
	t.Logf("history: %v", counts)
	h.auditTwice(t)
	judge(t, "names", versionModel, ops)
}

// auditTwice wants no bytes imported twice: each write had its own.
func (h *history) auditTwice(t *testing.T) {
	t.Helper()
	times := map[string]int{}
	for _, r := range h.w.ledger() {
		if times[r.Content.SHA256]++; times[r.Content.SHA256] == 2 {
			t.Errorf("%s was imported twice", r.Key)
		}
	}
}

// numbers are the versions of the catalog by name and content's hash.
func (w *world) numbers() map[string]map[string]int {
	by := map[string]map[string]int{}
	for name, versions := range w.catalog() {
		name = strings.TrimPrefix(name, "inbox/")
		by[name] = map[string]int{}
		for n, r := range versions {
			by[name][r.Content.SHA256] = n
		}
	}
	return by
}
