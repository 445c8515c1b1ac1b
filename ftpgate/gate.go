package ftpgate

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	server "goftp.io/server/v2"
	"golang.org/x/sync/errgroup"

	"hotfolderd/accounts"
	"hotfolderd/asset"
	"hotfolderd/intake"
)

// Gate listens for FTP. Make one with [New]; it is used up when [Gate.Run] has returned.
type Gate struct {
	o        Options
	names    *intake.Names
	secure   *tls.Config
	table    map[string]command
	ports    *ports
	public   *publicHost
	metrics  *metrics
	verifier *accounts.Verifier
	pending  *pending
	left     *intake.Left
	uploads  *uploads
	recent   *recent
	made     *made
	paces    *paces
	buffers  *buffers
	plain    net.Listener
	tls      net.Listener  // nil: no implicit encryption
	draining chan struct{} // closed when no new session is taken
	tallied  chan struct{} // has a signal when there is something to tell other gates
	grace    atomic.Int64  // a time.Duration

	mu        sync.Mutex
	newcomers map[string]*newcomer
	sessions  map[string]*session
	from      map[string]int            // clients by address
	others    map[string]map[string]int // sessions at other gates, by node and user
	idle      chan struct{}             // closed when the last client has left, while draining
	stopping  bool
}

// New checks the options and listens; clients wait until [Gate.Run]. The caller must run it, with an ended context if need be:
// that closes the listeners.
func New(o Options) (*Gate, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	g := &Gate{
		o: o, names: &intake.Names{Node: o.Node, Instance: rand.Text()[:12]}, table: commands(), ports: newPorts(o.PassivePorts), public: &publicHost{host: o.PublicHost},
		metrics: newMetrics(o.Metrics), verifier: accounts.NewVerifier(), pending: newPending(), left: intake.NewLeft(), uploads: newUploads(), recent: newRecent(), made: newMade(),
		paces: newPaces(), buffers: newBuffers(),
		draining: make(chan struct{}), tallied: make(chan struct{}, 1), newcomers: map[string]*newcomer{}, sessions: map[string]*session{}, from: map[string]int{}, others: map[string]map[string]int{}, idle: make(chan struct{}),
	}
	g.SetGrace(o.Grace)
	if g.secure, err = secureConfig(o.TLS); err != nil {
		return nil, err
	}
	if err := g.listen(); err != nil {
		return nil, err
	}
	return g, nil
}

func (g *Gate) listen() (err error) {
	if g.plain, err = listenTCP(g.o.Listen, keepAlive); err != nil {
		return fmt.Errorf("FTP gate: %w", err)
	}
	if g.o.ListenTLS == "" {
		return nil
	}
	if g.tls, err = listenTCP(g.o.ListenTLS, keepAlive); err != nil {
		return errors.Join(fmt.Errorf("FTP gate: %w", err), g.plain.Close())
	}
	return nil
}

// Addr is the address of the control connection.
func (g *Gate) Addr() net.Addr { return g.plain.Addr() }

// AddrTLS is the address of the encrypted control connection, or nil.
func (g *Gate) AddrTLS() net.Addr {
	if g.tls == nil {
		return nil
	}
	return g.tls.Addr()
}

// Run serves until ctx ends. Then no new session is taken and idle ones end at once; transfers in hand have [Gate.Grace] to
// finish, and what they leave is kept for their owners. It returns when all sessions have ended.
func (g *Gate) Run(ctx context.Context) error {
	hard, cut := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cut(errDraining)
	served, stop := context.WithCancel(ctx)
	defer stop()
	var work errgroup.Group
	work.Go(func() error { defer stop(); return g.serve(served, hard, g.plain, false) })
	if g.tls != nil {
		work.Go(func() error { defer stop(); return g.serve(served, hard, g.tls, true) })
	}
	work.Go(func() error { g.sweepLoop(served); return nil })
	<-served.Done()
	g.drain(cut)
	return work.Wait()
}

// serve gives the connections of one listener to a server of the library, until ctx ends.
func (g *Gate) serve(ctx, hard context.Context, l net.Listener, implicit bool) error {
	table := map[string]server.Command{}
	for verb, c := range g.table {
		table[verb] = entry{verb, c}
	}
	lib, err := server.NewServer(&server.Options{
		Commands: table, Perm: server.NewSimplePerm("ftp", "ftp"), Logger: noLog{},
	})
	if err != nil {
		return errors.Join(fmt.Errorf("FTP library: %w", err), l.Close())
	}
	defer context.AfterFunc(ctx, func() { _ = l.Close() })()
	lobby, err := newLobby()
	if err != nil {
		return errors.Join(fmt.Errorf("FTP gate: %w", err), l.Close())
	}
	served, stop := context.WithCancel(ctx)
	defer stop()
	clients := &listener{Listener: l, g: g, ctx: served, hard: hard, implicit: implicit, lobby: lobby, welcomed: make(chan *control)}
	var taking errgroup.Group
	taking.Go(func() error { clients.take(); return nil })
	taking.Go(func() error { defer stop(); return clients.hear() })
	err = lib.Serve(clients)
	_ = l.Close()
	lobby.close()
	if lost := taking.Wait(); lost != nil {
		return fmt.Errorf("FTP gate: %w", lost)
	}
	if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return fmt.Errorf("FTP gate: %w", err)
}

// count is how many clients there are; mu is held.
func (g *Gate) count() int { return len(g.newcomers) + len(g.sessions) }

// settle registers the session that is made of a newcomer, unless it was sent away.
func (g *Gate) settle(n *newcomer, s *session) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !n.take() {
		return false
	}
	delete(g.newcomers, n.id)
	g.sessions[n.id] = s
	return true
}

// leave forgets a client, and whose session it was.
func (g *Gate) leave(id string, client netip.Addr, of *User) {
	g.mu.Lock()
	defer g.mu.Unlock()
	address := client.String()
	if g.from[address]--; g.from[address] <= 0 {
		delete(g.from, address)
	}
	delete(g.newcomers, id)
	delete(g.sessions, id)
	g.metrics.sessions.Dec()
	if g.isLimited(of) {
		g.nudge()
	}
	if g.stopping && g.count() == 0 {
		close(g.idle)
	}
}

// goodbye tells of the end of a session.
func (g *Gate) goodbye(s *session) {
	name := ""
	if u := s.account(); u != nil {
		name = u.Name
		s.audit(Event{Kind: "logout", Took: time.Since(s.since)})
	}
	s.log.Debug("session ended", zap.String("user", asset.Shown(name)), zap.Error(s.c.why))
}
