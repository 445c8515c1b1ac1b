package consultest

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"
)

const (
	patience = 60 * time.Second
	election = 60 * time.Second // a busy machine misses heartbeats, and elects again and again
	poll     = 5 * time.Millisecond
)

// Client is the library's client of this server, for looking behind the back of what is tested. It leaves no connection open.
func (s *Server) Client(t testing.TB) *api.Client {
	t.Helper()
	transport := &http.Transport{DisableKeepAlives: true}
	c := api.Config{Address: s.Addr, Scheme: s.scheme, Transport: transport, Token: s.token}
	c.TLSConfig = api.TLSConfig{CAFile: s.tls.CA, CertFile: s.tls.Cert, KeyFile: s.tls.Key}
	cl, err := api.NewClient(&c)
	if err != nil {
		t.Fatal(err)
	}
	return cl
}

// stats is what the server says of itself in one part; nil when it does not answer.
func (s *Server) stats(t testing.TB, part string) map[string]any {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second) // cleanup: it may be asked when the test has ended
	defer cancel()
	var self map[string]map[string]any
	if _, err := s.Client(t).Raw().Query("/v1/agent/self", &self, new(api.QueryOptions).WithContext(ctx)); err != nil {
		return nil
	}
	stats, _ := self["Stats"][part].(map[string]any)
	return stats
}

// RaftIndex counts what was written to this cluster.
func (s *Server) RaftIndex(t testing.TB) uint64 {
	t.Helper()
	stats := s.stats(t, "raft")
	n, err := strconv.ParseUint(fmt.Sprint(stats["commit_index"]), 10, 64)
	if err != nil {
		t.Fatalf("no raft index in %v: %v", stats, err)
	}
	return n
}

// QuietIndex is [Server.RaftIndex] once it has stood still for a second: a server that was just started writes a little of its
// own.
func (s *Server) QuietIndex(t testing.TB) uint64 {
	t.Helper()
	last, since := s.RaftIndex(t), time.Now()
	for time.Since(since) < time.Second {
		time.Sleep(10 * poll)
		if now := s.RaftIndex(t); now != last {
			last, since = now, time.Now()
		}
	}
	return last
}

// Writes counts what is written to one cluster from a moment on.
type Writes struct {
	server *Server
	first  uint64
	begin  time.Time
}

// Writes begins to count when the server has become quiet.
func (s *Server) Writes(t testing.TB) Writes {
	t.Helper()
	return Writes{s, s.QuietIndex(t), time.Now()}
}

// Want fails the test if the count is another one. What Consul writes of its own may be there: a little in the seconds after it was
// started, and an entry of its leader once a minute.
func (w Writes) Want(t testing.TB, want uint64) {
	t.Helper()
	got := w.server.RaftIndex(t) - w.first
	own := 3 + uint64(time.Since(w.begin)/time.Minute)
	if got < want || got > want+own {
		t.Errorf("want %d writes and at most %d of Consul itself, got %d", want, own, got)
	}
}

// awaitLeader waits until the server can do everything.
func (s *Server) awaitLeader(t testing.TB) {
	t.Helper()
	cl := s.Client(t)
	ready := func() bool {
		leader, err := cl.Status().Leader()
		if err != nil || leader == "" {
			return false
		}
		nodes, _, err := cl.Catalog().Nodes(nil)
		return err == nil && len(nodes) > 0
	}
	await(t, election, ready, func() string {
		log, _ := os.ReadFile(s.log)
		return fmt.Sprintf("consul at %s knows a leader:\n%s", s.Addr, log)
	})
}

// Namespace is a name that no other test uses.
func Namespace(t testing.TB) string {
	return strings.NewReplacer("/", "-", "#", "-", " ", "-").Replace(t.Name())
}

// Eventually waits up to a minute until ok is true.
func Eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	await(t, patience, ok, func() string { return what })
}

func await(t testing.TB, most time.Duration, ok func() bool, what func() string) {
	t.Helper()
	for end := time.Now().Add(most); !ok(); time.Sleep(poll) {
		if time.Now().After(end) {
			t.Fatalf("it never came in %v: %s", most, what())
		}
	}
}
