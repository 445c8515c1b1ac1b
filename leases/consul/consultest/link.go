package consultest

import (
	"net"
	"sync"
	"testing"

	"hotfolderd/leases/consul"
)

// Link is the network between one node and a server, which can be cut for that node alone. What is on its way when it is cut
// arrives after [Link.Mend], as a network does it that sends again: also a request whose sender gave up long ago.
type Link struct {
	// Addr takes the place of the server's.
	Addr string

	server   *Server
	requests gate
	answers  gate

	mu     sync.Mutex
	conns  map[net.Conn]bool // nil: closed
	copies sync.WaitGroup
}

// NewLink makes a link that ends with the test.
func NewLink(t testing.TB, s *Server) *Link {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &Link{Addr: l.Addr().String(), server: s, conns: map[net.Conn]bool{}}
	n.copies.Go(func() { n.accept(l) })
	t.Cleanup(func() {
		l.Close()
		n.close()
	})
	return n
}

// Cut lets nothing through any more, without a word to either side.
func (n *Link) Cut() {
	n.requests.shut()
	n.answers.shut()
}

// CutAnswers lets requests through: the server does what they say, and nobody hears of it.
func (n *Link) CutAnswers() { n.answers.shut() }

// Mend lets everything through again.
func (n *Link) Mend() {
	n.requests.open()
	n.answers.open()
}

// Config reaches the server through the link only.
func (n *Link) Config(t testing.TB) consul.Config {
	t.Helper()
	c := Config(t, n.server)
	c.Addresses = []string{n.Addr}
	return c
}

// Dial makes a connection through the link that ends with the test.
func (n *Link) Dial(t testing.TB) *consul.Conn {
	t.Helper()
	return dial(t, n.Config(t))
}

func (n *Link) accept(l net.Listener) {
	for {
		near, err := l.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", n.server.Addr)
		if err != nil {
			near.Close()
			continue
		}
		n.join(near, far)
	}
}

// join copies both ways until either side ends.
func (n *Link) join(near, far net.Conn) {
	if !n.keep(near, far) {
		return
	}
	n.copies.Go(func() { n.copy(far, near, &n.requests) })
	n.copies.Go(func() { n.copy(near, far, &n.answers) })
}

func (n *Link) copy(to, from net.Conn, g *gate) {
	defer to.Close()
	b := make([]byte, 64<<10)
	for {
		k, err := from.Read(b)
		g.pass()
		if _, werr := to.Write(b[:k]); err != nil || werr != nil {
			return
		}
	}
}

func (n *Link) keep(conns ...net.Conn) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range conns {
		if n.conns == nil {
			c.Close()
			continue
		}
		n.conns[c] = true
	}
	return n.conns != nil
}

func (n *Link) close() {
	n.mu.Lock()
	conns := n.conns
	n.conns = nil
	n.mu.Unlock()
	for c := range conns {
		c.Close()
	}
	n.Mend()
	n.copies.Wait()
}

// gate holds up who passes while it is shut.
type gate struct {
	mu   sync.Mutex
	wait chan struct{} // nil: open
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.wait == nil {
		g.wait = make(chan struct{})
	}
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.wait != nil {
		close(g.wait)
		g.wait = nil
	}
}

func (g *gate) pass() {
	g.mu.Lock()
	wait := g.wait
	g.mu.Unlock()
	if wait != nil {
		<-wait
	}
}
