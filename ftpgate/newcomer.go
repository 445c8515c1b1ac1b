package ftpgate

import (
	"fmt"
	"net"
	"time"
)

// newcomer is a client that has not said a line yet. There may be many who never do, so it has what it needs to be listed, ended and waited
// for, and no goroutine. A session is made of it when there is something to do.
type newcomer struct {
	ends
	l     *listener // that it came by
	raw   *net.TCPConn
	id    string
	since time.Time

	// Below the gate's mu:
	late  *time.Timer // sends it away
	taken bool        // by whoever sends it away or makes a session of it

	// Below the lobby's mu:
	fd  int32 // of raw, while it is in there
	out bool  // it is not let in any more
}

const greeting = "220 hotfolderd\r\n"

// greet says the first words, unless they are to be encrypted. They fit into the empty buffer of the connection. Whatever is wrong with it is
// found by who reads from it.
func (n *newcomer) greet() {
	if !n.l.implicit {
		_, _ = n.raw.Write([]byte(greeting))
	}
}

// refuse says why a client is not served, and closes.
func (n *newcomer) refuse(why string) {
	if !n.l.implicit {
		_ = n.raw.SetWriteDeadline(time.Now().Add(refuseTimeout)) // what does not fit into the connection's buffer soon is lost
		_, _ = fmt.Fprintf(n.raw, "421 %s\r\n", printable(why))
	}
	_ = n.raw.Close()
}

func (n *newcomer) describe() Session {
	return Session{ID: n.id, Address: n.client.String(), Since: n.since}
}

// admit registers a newcomer, or says why it may not come in.
func (g *Gate) admit(n *newcomer) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	address := n.client.String()
	switch {
	case g.stopping:
		return errDraining.Error()
	case g.count() >= g.o.MaxSessions:
		return "too many sessions; try again later"
	case g.from[address] >= g.o.PerAddress:
		return "too many sessions from your address"
	}
	g.newcomers[n.id] = n
	n.late = time.AfterFunc(min(g.o.Idle, g.o.Login), func() { g.sendAway(n, errSilent) })
	g.from[address]++
	g.metrics.sessions.Inc()
	return ""
}

// take reports whether a newcomer is the caller's from now on; the gate's mu is held.
func (n *newcomer) take() bool {
	if n.taken {
		return false
	}
	n.taken = true
	n.late.Stop()
	return true
}

// sendAway ends the wait for a client that is still a newcomer. It reports whether it was.
func (g *Gate) sendAway(n *newcomer, why error) bool {
	g.mu.Lock()
	mine := n.take()
	g.mu.Unlock()
	if !mine {
		return false
	}
	n.l.lobby.leave(n)
	n.refuse(why.Error())
	g.leave(n.id, n.client, nil)
	return true
}

// sendNewcomersAway sends all of them.
func (g *Gate) sendNewcomersAway(why error) {
	g.mu.Lock()
	all := make([]*newcomer, 0, len(g.newcomers))
	for _, n := range g.newcomers {
		all = append(all, n)
	}
	g.mu.Unlock()
	for _, n := range all {
		g.sendAway(n, why)
	}
}
