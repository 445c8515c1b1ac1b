package consultest

import (
	"fmt"
	"strings"
	"testing"
)

const clusterSettings = `
server = true
bootstrap_expect = %d
retry_interval = "100ms"
performance { raft_multiplier = 1 }
autopilot { server_stabilization_time = "200ms", min_quorum = 3 }
`

// StartCluster runs three servers that elect a leader within a second or two. They keep their data when they are killed, and
// their votes, which Consul would take away after a while by itself. Each line of hcl is added to their settings.
func StartCluster(t testing.TB, hcl ...string) []*Server {
	t.Helper()
	const n = 3
	var servers []*Server
	for i := range n {
		s := newServer(t, append([]string{fmt.Sprintf(clusterSettings, n)}, hcl...)...)
		s.args = append(s.args, "-data-dir", t.TempDir(), "-node", fmt.Sprintf("server-%d", i+1))
		servers = append(servers, s)
	}
	for _, s := range servers {
		for _, other := range servers {
			s.args = append(s.args, "-retry-join", other.serf)
		}
	}
	for _, s := range servers {
		s.start(t)
	}
	for _, s := range servers {
		s.awaitLeader(t)
	}
	Heal(t, servers)
	return servers
}

// Heal waits until all servers are well, so that the loss of any one is borne again.
func Heal(t testing.TB, servers []*Server) {
	t.Helper()
	await(t, election, func() bool {
		for _, s := range servers {
			health, err := s.Client(t).Operator().AutopilotServerHealth(nil)
			if err != nil || !health.Healthy || health.FailureTolerance < (len(servers)-1)/2 {
				return false
			}
		}
		return true
	}, func() string { return "a cluster that is whole: " + states(t, servers) })
}

// states is what each server says of itself.
func states(t testing.TB, servers []*Server) string {
	t.Helper()
	var all []string
	for _, s := range servers {
		stats := s.stats(t, "raft")
		all = append(all, fmt.Sprintf("%s is %v in term %v with %v others", s.Addr, stats["state"], stats["term"], stats["num_peers"]))
	}
	return strings.Join(all, "; ")
}

// Leader is the server that leads, once one does. A server that is paused or killed leads no more.
func Leader(t testing.TB, servers []*Server) (leader *Server) {
	t.Helper()
	await(t, election, func() bool {
		for _, s := range servers {
			if s.stats(t, "consul")["leader"] == "true" {
				leader = s
			}
		}
		return leader != nil
	}, func() string { return "a leader: " + states(t, servers) })
	return leader
}

// Others are the servers without one, in their order.
func Others(servers []*Server, without *Server) []*Server {
	var others []*Server
	for _, s := range servers {
		if s != without {
			others = append(others, s)
		}
	}
	return others
}
