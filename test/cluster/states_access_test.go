package cluster_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"hotfolderd/leases/consul"
	"hotfolderd/leases/consul/consultest"
)

// worksWhole does with the nodes of a world everything that touches Consul.
func (w *world) worksWhole() {
	w.t.Helper()
	a, b := w.nodes[0], w.nodes[1]
	w.begin()
	w.awaitWhole(w.nodes...)
	d := w.drops()
	d.some(20)
	d.awaitGone(awaitDrops)
	d.audit(w.t)
	a.put("whole.txt", "one")
	if r := b.fetch("whole.txt", a.put("whole.txt", "two").index); r.body != "two" {
		w.t.Errorf("read what was written: %v", r)
	}
	file := filepath.Join(w.dir, "file")
	write(w.t, file, "three")
	if r := b.fetch("whole.txt", a.putByCommand(file, "whole.txt")); r.body != "three" {
		w.t.Errorf("read what the command wrote: %v", r)
	}
	if out, err := a.hotfolderd("cache", "clear"); err != nil {
		w.t.Errorf("cache clear: %v\n%s", err, out)
	}
	if set, err := a.publish(w.rules); err != nil || set.Version != 1 {
		w.t.Errorf("rules publish: %v, %v", set, err)
	}
	b.kill()
	w.awaitWhole(a) // it destroyed the other's session
	b.start()
	w.awaitWhole(a, b)
	if out, err := b.hotfolderd("drain"); err != nil || b.wait() != nil {
		w.t.Errorf("drain: %v\n%s", err, out)
	}
	w.awaitWhole(a)
	for _, p := range w.nodes {
		if p.log.has("Permission denied") {
			w.t.Errorf("%s misses a right:\n%s", p.id, p.log)
		}
	}
}

// TestAccess_theDocumentedPolicyIsEnough works in a Consul where nobody may do anything without a token.
func TestAccess_theDocumentedPolicyIsEnough(t *testing.T) {
	t.Parallel()
	server := consultest.StartDenying(t)
	token := func(policy string) (setting string) {
		return fmt.Sprintf("  token_file: %q\n", consultest.TokenFile(t, server.Token(t, policy)))
	}
	t.Run("works", func(t *testing.T) {
		right := token(consul.Policy(consultest.Namespace(t)))
		newWorld(t, []string{server.Addr}, 2, "  isolation: static\n", shortTTL, right).worksWhole()
	})
	for name, given := range map[string]string{"no token": "", "for another namespace": token(consul.Policy("other"))} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, []string{server.Addr}, 1, given)
			says(t, w.nodes[0].refused(1), "cluster.consul", "Permission denied", "node:write", consultest.Namespace(t))
		})
	}
	t.Run("no file", func(t *testing.T) {
		w := newWorld(t, []string{server.Addr}, 1, "  token_file: /nowhere/token\n")
		says(t, w.nodes[0].refused(1), "/nowhere/token", "token file")
	})
}

// waitsForConsul starts the node, which must say what it waits for and end when it is told to.
func (p *process) waitsForConsul(words ...string) {
	p.t.Helper()
	p.start()
	words = append(words, "waiting for Consul", "cluster.consul")
	within(p.t, 20*time.Second, p.id+" waits", func() bool { return has(p.log.String(), words...) }, p.log)
	p.stop()
}

// Nodes and Consul may start in any order.
func TestAccess_consulComesLater(t *testing.T) {
	t.Parallel()
	server := consultest.Start(t)
	w := newWorld(t, []string{server.Addr}, 2)
	server.Kill()
	w.nodes[0].waitsForConsul(server.Addr)
	for _, p := range w.nodes {
		p.start()
	}
	server.Restart(t)
	w.awaitWhole(w.nodes...)
}

// Consul's own least TTL is 10 s.
func TestAccess_aTTLThatConsulRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, []string{consultest.Start(t, `session_ttl_min = "10s"`).Addr}, 1, shortTTL)
	says(t, w.nodes[0].refused(exitSettings), "cluster.session_ttl", "10s", "session_ttl_min")
}

// TestAccess_consulByTLS reaches a Consul that wants a certificate, by settings alone.
func TestAccess_consulByTLS(t *testing.T) {
	t.Parallel()
	server := consultest.StartTLS(t)
	c := consultest.Config(t, server)
	t.Run("works", func(t *testing.T) {
		newWorld(t, c.Addresses, 2, fmt.Sprintf("  tls: { ca: %q, cert: %q, key: %q }\n", c.TLS.CA, c.TLS.Cert, c.TLS.Key)).worksWhole()
	})
	for name, tls := range map[string]string{
		"a certificate of nobody known": "",
		"no certificate of its own":     fmt.Sprintf("  tls: { ca: %q }\n", c.TLS.CA),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, c.Addresses, 1, tls)
			p := w.nodes[0]
			p.start()
			within(t, 20*time.Second, "it says what is wrong", func() bool { return has(p.log.String(), server.Addr, "certificate") }, p.log)
			p.kill()
		})
	}
}
