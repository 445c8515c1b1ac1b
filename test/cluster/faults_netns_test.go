//go:build chaos

package cluster_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"hotfolderd/leases/consul/consultest"
	"hotfolderd/test/netns"
	"hotfolderd/test/nfslab"
)

// TestFaults_aNodeInANetworkOfItsOwnStopsBeforeOthersStart has one node in a network namespace, from which no packet comes any
// more for a while: not from Consul and not from the other nodes. All settings are the defaults.
func TestFaults_aNodeInANetworkOfItsOwnStopsBeforeOthersStart(t *testing.T) {
	t.Parallel()
	server := consultest.Start(t)
	n := newNetwork(t)
	w := newWorld(t, []string{n.relay(server.Addr)}, 1)
	n.move(w.nodes[0])
	w.consul = []string{server.Addr}
	w.add("b", "")
	w.add("c", "")
	w.begin()
	d := w.drops()
	stop := make(chan struct{})
	ended := d.stream(50, stop)
	var offs []off
	for range rounds(t, 2) {
		offs = append(offs, w.cutRound(server, w.nodes[0], n.cut, n.mend))
	}
	close(stop)
	<-ended
	d.awaitTaken(time.Minute)
	d.audit(t)
	w.auditOffs(t, offs)
}

// network is a namespace with two ways to this machine: one that is cut, and one to look at the node all the time.
type network struct {
	*netns.Space
	t testing.TB
	// near and far are the addresses at the two ends of the way that is cut, eye is the node's on the other.
	near, far, eye string
}

func newNetwork(t testing.TB) *network {
	t.Helper()
	if !netns.Usable() {
		t.Fatal("a network namespace needs root: run make chaos as root, or without this test: make chaos ARGS='-skip InANetwork'")
	}
	n := &network{
		Space: netns.New(t, fmt.Sprintf("hf%d", os.Getpid())), t: t,
		near: netns.Address(1), far: netns.Address(2), eye: netns.Address(6),
	}
	n.Way("cut", n.near, n.far)
	n.Way("eye", netns.Address(5), n.eye)
	return n
}

func (n *network) inside(argv ...string) {
	n.t.Helper()
	n.Run(n.Inside(argv...)...)
}

// cut drops every packet, without a word to anybody.
func (n *network) cut() {
	n.inside("nft", `add table inet cut; add chain inet cut in { type filter hook input priority 0; }; add rule inet cut in iifname "cut0" drop`)
}

func (n *network) mend() { n.inside("nft", "delete", "table", "inet", "cut") }

// move has the node live there.
func (n *network) move(p *process) {
	n.t.Helper()
	p.token, p.inside = strings.Repeat("token", 8), n.Inside()
	write(n.t, p.home+"/token", p.token)
	b, err := os.ReadFile(p.settings)
	if err != nil {
		n.t.Fatal(err)
	}
	settings := strings.Replace(string(b), fmt.Sprintf("listen: %q", p.addr), fmt.Sprintf("listen: %q, token_file: %q", "0.0.0.0:8480", p.home+"/token"), 1)
	settings = strings.Replace(settings, "  namespace:", fmt.Sprintf("  advertise: %q\n  namespace:", n.far+":8480"), 1)
	write(n.t, p.settings, settings)
	p.addr = n.eye + ":8480"
}

// relay is an address in reach of the namespace behind which this one is.
func (n *network) relay(to string) string {
	n.t.Helper()
	return nfslab.Relay(n.t, n.near, to)
}
