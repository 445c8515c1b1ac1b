package cluster

import (
	"slices"
)

// View is what one member knew of the cluster at one moment. It does not change.
type View struct {
	// Self is the own id; the own entry is among Members while it is in Consul.
	Self string
	// Members are the live ones, by id.
	Members  []Member
	Suspects []Suspect
	// Contact: the own session lives, and Consul has answered within the last 3 s. Without contact the rest is old.
	Contact bool
	// Duty is the id of the live member that goes first (highest priority, then smallest id); "" when there is none.
	Duty string
	// Main is the main node, live or not, with isolation: static; "" otherwise.
	Main string
	// IsolatedMain: this node is the main one, has no contact and goes on writing all the same.
	IsolatedMain bool

	isolation string
	waitFor   int
	enough    bool
}

// Suspect says that one member cannot reach another.
type Suspect struct {
	Node, Instance string
	Observer       string

	session string // of the suspect
}

// View is what is known now.
func (c *Cluster) View() View {
	c.mu.Lock()
	defer c.mu.Unlock()
	v := View{
		Self: c.o.Self.ID, Suspects: slices.Clone(c.state.suspects), Contact: c.contact(), Main: c.state.main.ID,
		isolation: c.o.Isolation, waitFor: c.o.WaitFor, enough: c.state.enough,
	}
	first := Member{}
	for _, e := range c.state.members {
		e.Session = e.session
		v.Members = append(v.Members, e.Member)
		if first.ID == "" || e.before(first) {
			first = e.Member
		}
	}
	v.Duty = first.ID
	v.IsolatedMain = v.isolation == Static && !v.Contact && v.Main == v.Self
	return v
}

// Member returns the live member with this id.
func (v View) Member(id string) (Member, bool) {
	for _, m := range v.Members {
		if m.ID == id {
			return m, true
		}
	}
	return Member{}, false
}

// Live reports whether a member or a publish-only client of this instance was in Consul when it was heard last.
func (c *Cluster) Live(instance string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state.clients[instance] ||
		slices.ContainsFunc(c.state.members, func(e entry) bool { return e.Instance == instance })
}

// Duty reports whether this node does what one member does for all: it has contact and goes before every other live member.
// For a moment two members may think so, or none.
func (c *Cluster) Duty() bool {
	v := c.View()
	return v.Contact && v.Duty == v.Self
}

// Subscribe returns a channel that has a signal after the view has changed; several changes may be one signal. Call the
// function when no more are wanted; the channel is never closed.
func (c *Cluster) Subscribe() (<-chan struct{}, func()) {
	ch := make(chan struct{}, 1)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.signals[ch] = struct{}{}
	return ch, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.signals, ch)
	}
}

func (c *Cluster) signal() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for ch := range c.signals {
		nudge(ch)
	}
}
