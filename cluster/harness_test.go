package cluster

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"hotfolderd/leases/consul"
	"hotfolderd/leases/consul/consultest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	shortTTL = time.Second
	firmTTL  = 2 * time.Second  // not lost by a test on a busy machine
	longTTL  = 10 * time.Second // ends after 20 s: what happens sooner was not its end
)

// world is one namespace on one Consul.
type world struct {
	testing.TB
	server    *consultest.Server
	namespace string
	ttl       time.Duration
}

func newWorld(t testing.TB, ttl time.Duration) *world {
	return &world{TB: t, server: consultest.Start(t), namespace: consultest.Namespace(t), ttl: ttl}
}

// node is one member with its way to Consul and its HTTP server.
type node struct {
	*Cluster
	w      *world
	livez  *livez
	link   *consultest.Link
	conn   *consul.Conn
	keeper *consul.Keeper
	cancel context.CancelFunc
	done   chan error // what Run returned
}

// prepare makes everything that a member needs, and the options to join with.
func (w *world) prepare(id string, change ...func(*Options)) (*node, Options) {
	w.Helper()
	n := &node{w: w, link: consultest.NewLink(w, w.server), done: make(chan error, 1), cancel: func() {}}
	config := n.link.Config(w)
	config.Timeout = 500 * time.Millisecond
	var err error
	if n.conn, err = consul.Dial(config); err == nil {
		n.keeper, err = consul.Keep(w.Context(), n.conn, consul.KeepOptions{Namespace: w.namespace, Node: id, TTL: w.ttl})
	}
	if err != nil {
		w.Fatal(err)
	}
	n.livez = newLivez(w, NewInstance(id))
	o := Options{Conn: n.conn, Keeper: n.keeper, Namespace: w.namespace, Self: Member{
		ID: id, Instance: n.livez.instance, Address: n.livez.addr(), Roles: []string{RoleImport}, Weight: 1, Store: "store-1", State: Active,
	}}
	for _, c := range change {
		c(&o)
	}
	w.Cleanup(n.end)
	return n, o
}

// start joins and runs a member.
func (w *world) start(id string, change ...func(*Options)) *node {
	w.Helper()
	n, o := w.prepare(id, change...)
	c, err := Join(w.Context(), o)
	if err != nil {
		w.Fatalf("join %s: %v", id, err)
	}
	n.run(c)
	return n
}

func (n *node) run(c *Cluster) {
	n.Cluster = c
	ctx, cancel := context.WithCancel(context.Background())
	n.cancel = cancel
	go func() { n.done <- c.Run(ctx) }()
}

// leave stops the member as a node does that is told to.
func (n *node) leave() {
	n.w.Helper()
	n.cancel()
	if err := <-n.done; err != nil {
		n.w.Errorf("run of %s: %v", n.Self().ID, err)
	}
	if err := n.Leave(n.w.Context()); err != nil {
		n.w.Error(err)
	}
	n.Cluster = nil
	n.end()
}

// die is kill -9: nobody listens, and nothing is sent to Consul any more.
func (n *node) die() {
	n.livez.close()
	n.link.Cut()
}

func (n *node) end() {
	n.cancel()
	if n.Cluster != nil {
		<-n.done
		n.done <- nil
	}
	_ = n.keeper.Close()
	n.livez.close()
	n.conn.Close()
}

// livez is the HTTP server of a node.
type livez struct {
	*httptest.Server
	instance string
	poses    atomic.Pointer[string] // as which instance it answers, if not as its own
	silent   atomic.Bool            // it takes requests and does not answer
	asked    atomic.Int64
	free     chan struct{}
	closed   atomic.Bool
}

func newLivez(t testing.TB, instance string) *livez {
	l := &livez{instance: instance, free: make(chan struct{})}
	l.Server = httptest.NewServer(l)
	t.Cleanup(l.close)
	return l
}

// pose makes it answer as another instance.
func (l *livez) pose(instance string) { l.poses.Store(&instance) }

func (l *livez) addr() string { return l.Listener.Addr().String() }

func (l *livez) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.asked.Add(1)
	if l.silent.Load() {
		select {
		case <-l.free:
		case <-r.Context().Done():
		}
		return
	}
	if r.URL.Path != "/livez" {
		http.NotFound(w, r)
		return
	}
	w.Header().Set(InstanceHeader, l.instance)
	if other := l.poses.Load(); other != nil {
		w.Header().Set(InstanceHeader, *other)
	}
	_, _ = w.Write([]byte("ok\n"))
}

func (l *livez) close() {
	if l.closed.Swap(true) {
		return
	}
	close(l.free)
	l.CloseClientConnections()
	l.Close()
}

// ids are the members that a node sees, "a b c".
func ids(v View) string {
	var s []string
	for _, m := range v.Members {
		s = append(s, m.ID)
	}
	return strings.Join(s, " ")
}

// sees waits until each of the nodes has contact and sees exactly these members.
func (w *world) sees(want string, nodes ...*node) {
	w.Helper()
	for _, n := range nodes {
		w.until(n, "it sees "+want, func(v View) bool { return v.Contact && ids(v) == want })
	}
}

// until waits until a node's view is right.
func (w *world) until(n *node, what string, ok func(View) bool) {
	w.Helper()
	end := time.Now().Add(20 * time.Second)
	changed, stop := n.Subscribe()
	defer stop()
	for !ok(n.View()) {
		select {
		case <-changed:
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(end) {
			w.Fatalf("node %s: it never came that %s: %+v", n.o.Self.ID, what, n.View())
		}
	}
}

// sessionOf is the session that holds the member's entry; "" when there is none.
func (w *world) sessionOf(id string) string {
	w.Helper()
	pair, _, err := w.server.Client(w).KV().Get(consul.Root(w.namespace)+membersDir+id, nil)
	if err != nil {
		w.Fatal(err)
	}
	if pair == nil {
		return ""
	}
	return pair.Session
}

func wantDuplicate(t testing.TB, err error, address string) {
	t.Helper()
	if !errors.Is(err, ErrDuplicate) || !strings.Contains(err.Error(), address) {
		t.Fatalf("want ErrDuplicate that names %s, got %v", address, err)
	}
}

func permutations(s []string) (all [][]string) {
	if len(s) < 2 {
		return [][]string{s}
	}
	for i := range s {
		for _, rest := range permutations(slices.Delete(slices.Clone(s), i, i+1)) {
			all = append(all, append([]string{s[i]}, rest...))
		}
	}
	return all
}
