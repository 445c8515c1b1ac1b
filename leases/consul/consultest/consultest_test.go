package consultest

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestCluster_survivesAnyOneAndKeepsItsData(t *testing.T) {
	servers := StartCluster(t)
	conn := Dial(t, servers...)
	if err := conn.Put(t.Context(), "k", []byte("kept")); err != nil {
		t.Fatal(err)
	}
	first := Leader(t, servers)
	first.Kill()
	if second := Leader(t, servers); second == first {
		t.Fatal("a killed server leads")
	}
	for _, s := range Others(servers, first) {
		s.Kill()
	}
	for _, s := range servers {
		s.start(t)
	}
	for _, s := range servers {
		s.awaitLeader(t)
	}
	if pair, err := conn.Get(t.Context(), "k"); err != nil || pair == nil || string(pair.Value) != "kept" {
		t.Fatalf("after all were killed: %v, %v", pair, err)
	}
}

func TestLeader_isNotAPausedOne(t *testing.T) {
	servers := StartCluster(t)
	first := Leader(t, servers)
	first.Pause(t)
	second := Leader(t, servers)
	if second == first {
		t.Fatal("a paused server leads")
	}
	first.Resume(t)
	Eventually(t, "the old leader follows", func() bool { return first.stats(t, "raft")["state"] == "Follower" })
}

func TestStartTLS_refusesClientsWithoutACertificate(t *testing.T) {
	s := StartTLS(t)
	if err := s.Dial(t).Put(t.Context(), "k", nil); err != nil {
		t.Fatal(err)
	}
	c := Config(t, s)
	c.TLS.Cert, c.TLS.Key = "", ""
	if err := dial(t, c).Put(t.Context(), "k", nil); err == nil {
		t.Fatal("a client without a certificate may write")
	}
}
