package admin

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"hotfolderd/admin/access"
	"hotfolderd/config"
)

// Limits of the server. None is a setting: they only keep a broken or hostile peer from holding what it does not use.
const (
	headerTimeout = 10 * time.Second
	readTimeout   = 30 * time.Second
	idleTimeout   = 2 * time.Minute
	writeTimeout  = 30 * time.Second // between two writes of an answer
	maxHeader     = 64 << 10         // a name of 4,095 bytes is 12 KiB when it is percent-encoded
	closeTimeout  = 5 * time.Second  // for answers in progress when the server ends
	storeTimeout  = 10 * time.Second // until the first byte of an answer that needs the store
	maxStore      = 128              // requests that ask the store at a time
	maxStreams    = 128              // event streams at a time
	maxUploads    = 64               // writes that send bytes, at a time
	maxWaiting    = 512              // reads that wait for an index, at a time
)

// Options of a server. The zero value serves config.DefaultHTTPListen without a token, logs nothing and has no metrics.
type Options struct {
	Listen   string               // host:port; port 0 picks one
	Token    string               // what a client must show; empty is allowed on loopback only
	Tokens   func() access.Tokens // those that are accepted by now, where they may change; nil: Token stays
	Log      *zap.Logger          // nil logs nothing
	Registry *prometheus.Registry // shown under /metrics, and takes this server's own metrics; nil is off

	Users   func() *access.Users     // who else may log in; nil: nobody
	Bans    access.Bans              // counts wrong tokens and passwords; nil: here alone
	Peer    func(*http.Request) bool // whether a node of the cluster asks, whatever its token is; nil: none does
	Proxies []netip.Prefix           // that are believed when they tell whom they ask for
}

// Server answers for one node. Its methods are safe for concurrent use.
type Server struct {
	b       Backend
	o       Options
	log     *zap.Logger
	access  *access.Control
	metrics *metrics
	gate    chan struct{} // one place for each request that asks the store
	streams chan struct{}
	uploads chan struct{}
	waiting chan struct{}
	failed  failedList
	handler http.Handler
	closing chan struct{} // closed when Run ends: event streams end with it
	once    sync.Once

	mu sync.Mutex
	ln net.Listener
}

// New makes a server; it listens to nothing yet. It refuses an address beyond loopback without a token, and a token that
// could be guessed.
func New(b Backend, o Options) (*Server, error) {
	if o.Listen == "" {
		o.Listen = config.DefaultHTTPListen
	}
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	if b.Node == nil {
		return nil, errors.New("admin: the backend has no Node")
	}
	if err := checkListen(o.Listen, o.Token); err != nil {
		return nil, err
	}
	m, err := newMetrics(o.Registry)
	if err != nil {
		return nil, fmt.Errorf("admin: register metrics: %w", err)
	}
	s := &Server{
		b: b, o: o, log: o.Log, metrics: m, access: access.New(o.access(b.Node().StoreID)),
		gate: make(chan struct{}, maxStore), streams: make(chan struct{}, maxStreams), uploads: make(chan struct{}, maxUploads),
		waiting: make(chan struct{}, maxWaiting), closing: make(chan struct{}),
	}
	s.handler = s.guard(s.routes())
	return s, nil
}

// access is what the options say of who may ask. Nodes of one store accept each other's cookies.
func (o Options) access(store string) access.Options {
	return access.Options{Token: o.Token, Tokens: o.Tokens, Users: o.Users, Bans: o.Bans, Peer: o.Peer, Proxies: o.Proxies, Cluster: store}
}

func checkListen(listen, token string) error {
	host, _, err := net.SplitHostPort(listen)
	switch {
	case err != nil:
		return fmt.Errorf("http.listen %q: expected host:port: %w", listen, err)
	case token == "" && !loopback(host):
		return fmt.Errorf("http.listen %q can be reached from other machines, so http.token_file must name a file with a token "+
			"(or listen on 127.0.0.1)", listen)
	case token != "":
		return access.CheckToken(token)
	}
	return nil
}

// loopback goes by the text, without asking a resolver: what a name leads to can change, "localhost" by standard cannot.
func loopback(host string) bool {
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// Handler is everything the server answers, guards included; for tests and for embedding behind another listener.
func (s *Server) Handler() http.Handler { return s.handler }

// Listen takes the address. Calling it before Run makes Addr known and a taken port an error early. Idempotent.
func (s *Server) Listen() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ln != nil {
		return nil
	}
	ln, err := net.Listen("tcp", s.o.Listen)
	if err != nil {
		return fmt.Errorf("http.listen: %w", err)
	}
	if a, ok := ln.Addr().(*net.TCPAddr); ok && s.o.Token == "" && !a.IP.IsLoopback() {
		return errors.Join(fmt.Errorf("http.listen %q leads to %s, which other machines reach, and there is no token", s.o.Listen, a), ln.Close())
	}
	s.ln = ln
	return nil
}

// Addr is the host:port that is listened to, or "" before Listen.
func (s *Server) Addr() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ln == nil {
		return ""
	}
	return s.ln.Addr().String()
}

// Close gives the address back, for a server that never ran; Run does it by itself. Idempotent.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ln == nil {
		return nil
	}
	if err := s.ln.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("close http: %w", err)
	}
	return nil
}

// Run serves until ctx ends, then lets answers in progress end for a few seconds and cuts off the rest. A canceled ctx is
// no error. It can be called once.
func (s *Server) Run(ctx context.Context) error {
	if err := s.Listen(); err != nil {
		return err
	}
	srv := &http.Server{
		Handler: s.handler, ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeader, ErrorLog: s.stdLog(), ConnContext: withConn,
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(spare{s.ln}) }()
	var err error
	select {
	case err = <-served:
	case <-ctx.Done():
		s.shutdown(ctx, srv)
		err = <-served
	}
	s.once.Do(func() { close(s.closing) })
	s.failed.wait(closeTimeout)
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serve http: %w", err)
}

func (s *Server) shutdown(ctx context.Context, srv *http.Server) {
	s.once.Do(func() { close(s.closing) })
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	if err := srv.Shutdown(bounded); err != nil {
		s.log.Info("http answers cut off", zap.Error(err))
		if err := srv.Close(); err != nil {
			s.log.Debug("close http", zap.Error(err))
		}
	}
}
