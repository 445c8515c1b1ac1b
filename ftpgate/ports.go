package ftpgate

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"
)

const portPatience = 5 * time.Second // for a port, when all of a small range are in use

var errNoPort = errors.New("all ports for data connections are in use; try again")

// ports gives out the ports of data connections. Each is used once at a time, so a small range is waited for, in turn.
type ports struct {
	r PortRange

	mu    sync.Mutex
	used  map[int]bool
	freed chan struct{} // closed when a port is given back; then made anew
}

func newPorts(r PortRange) *ports {
	return &ports{r: r, used: map[int]bool{}, freed: make(chan struct{})}
}

// listen listens on a port of the range at ip. done gives the port back; the caller closes the listener before.
func (p *ports) listen(ctx context.Context, ip netip.Addr) (l *net.TCPListener, done func(), err error) {
	if p.r.First == 0 {
		l, err = listenOn(ip, 0)
		return l, func() {}, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, portPatience, errNoPort)
	defer cancel()
	for {
		freed := p.waiter()
		if l, done := p.tryAll(ip); l != nil {
			return l, done, nil
		}
		select {
		case <-freed:
		case <-time.After(portPatience / 10): // another program may have given one back
		case <-ctx.Done():
			return nil, nil, context.Cause(ctx)
		}
	}
}

// tryAll tries each port of the range once, beginning anywhere, so that the next one cannot be told.
func (p *ports) tryAll(ip netip.Addr) (*net.TCPListener, func()) {
	n := p.r.Last - p.r.First + 1
	begin := rand.IntN(n)
	for i := range n {
		port := p.r.First + (begin+i)%n
		if !p.take(port) {
			continue
		}
		l, err := listenOn(ip, port)
		if err == nil {
			return l, func() { p.giveBack(port) }
		}
		p.giveBack(port)
	}
	return nil, nil
}

func listenOn(ip netip.Addr, port int) (*net.TCPListener, error) {
	l, err := listenTCP(netip.AddrPortFrom(ip, uint16(port)).String(), -1) // data have times of their own
	if err != nil {
		return nil, fmt.Errorf("listen for data: %w", err)
	}
	return l, nil
}

func (p *ports) waiter() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.freed
}

func (p *ports) take(port int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.used[port] {
		return false
	}
	p.used[port] = true
	return true
}

func (p *ports) giveBack(port int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.used, port)
	close(p.freed)
	p.freed = make(chan struct{})
}
