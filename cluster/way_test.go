package cluster

import (
	"net"
	"sync"
	"testing"
)

// way is a small TCP proxy between a node and Consul that can go silent: then it takes bytes and connections and hands nothing
// on, as a network that drops every packet.
type way struct {
	net.Listener
	to string
	wg sync.WaitGroup

	mu     sync.Mutex
	open   chan struct{} // closed while bytes may pass
	conns  map[net.Conn]bool
	closed chan struct{}
}

func newWay(t testing.TB, to string) *way {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &way{Listener: l, to: to, open: make(chan struct{}), conns: map[net.Conn]bool{}, closed: make(chan struct{})}
	close(w.open)
	w.wg.Go(w.accept)
	t.Cleanup(w.close)
	return w
}

func (w *way) addr() string { return w.Addr().String() }

func (w *way) accept() {
	for {
		a, err := w.Accept()
		if err != nil {
			return
		}
		b, err := net.Dial("tcp", w.to)
		if err != nil {
			_ = a.Close()
			continue
		}
		if !w.keep(a, b) {
			return
		}
		w.wg.Go(func() { w.pass(a, b) })
		w.wg.Go(func() { w.pass(b, a) })
	}
}

func (w *way) keep(conns ...net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range conns {
		if w.conns == nil {
			_ = c.Close()
			continue
		}
		w.conns[c] = true
	}
	return w.conns != nil
}

// pass hands bytes from one to the other until either ends.
func (w *way) pass(from, to net.Conn) {
	defer from.Close()
	defer to.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		w.mu.Lock()
		open := w.open
		w.mu.Unlock()
		select {
		case <-open:
		case <-w.closed:
			return
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}

// silence stops all bytes; speak lets them pass again, those that wait too.
func (w *way) silence() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open = make(chan struct{})
}

func (w *way) speak() {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.open)
}

// close ends all connections; new ones are refused.
func (w *way) close() {
	_ = w.Close()
	w.mu.Lock()
	if w.conns != nil {
		close(w.closed)
	}
	for c := range w.conns {
		_ = c.Close()
	}
	w.conns = nil
	w.mu.Unlock()
	w.wg.Wait()
}
