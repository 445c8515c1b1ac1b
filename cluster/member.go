package cluster

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// RoleImport is the role of members that take drops.
const RoleImport = "import"

// States of a node, as design.md names them.
const (
	Joining    = "joining"
	Recovering = "recovering"
	Active     = "active"
	ReadOnly   = "read-only"
	Draining   = "draining"
	Left       = "left"
)

// Member is what a node tells the others of itself.
type Member struct {
	ID       string `json:"id"`
	Instance string `json:"instance"` // of this start, unique for ever; see NewInstance
	// Address is host:port of its HTTP server, as the others reach it. A member without one is never probed.
	Address  string   `json:"address,omitempty"`
	Roles    []string `json:"roles"`
	Weight   int      `json:"weight"`
	Priority int      `json:"priority"` // the highest has the duties that one member does for all
	Version  string   `json:"version"`  // of the program
	// Rules is the hash of its rules; RulesVersion the number of its published rule set, 0 for files of its own.
	Rules        string `json:"rules"`
	RulesVersion int    `json:"rules_version"`
	// Settings are those that all members should have alike, by their names in the settings file. Nobody changes the map.
	Settings map[string]string `json:"settings,omitempty"`
	Store    string            `json:"store"` // the store's identity
	State    string            `json:"state"`
	Share    float64           `json:"share"`   // from 1 down to 0.25: how much of its weight it can do at the moment
	Waiting  int               `json:"waiting"` // drops that wait, rounded down
	Lag      time.Duration     `json:"lag_ns"`  // how long the oldest of them has waited, rounded down
	Started  time.Time         `json:"started"` // by its own clock; for people only
	Gate     *Gate             `json:"gate,omitempty"`

	// Session holds the entry, and so all leases of the member; known of the members of a [View].
	Session string `json:"-"`
}

// Gate is where a member takes files by FTP, for whoever puts a load balancer before it.
type Gate struct {
	Address    string   `json:"address"`           // host:port of the control connection
	AddressTLS string   `json:"address_tls"`       // encrypted from the first byte; empty: none
	Ports      string   `json:"ports"`             // of data connections, as 30000-30099
	Proxies    []string `json:"proxies,omitempty"` // who is believed by PROXY protocol v2
}

// NewInstance makes an id of one start of a node: "<node id>.<12 random characters>".
func NewInstance(id string) string {
	return id + "." + rand.Text()[:12]
}

// Has reports whether the member has the role.
func (m Member) Has(role string) bool { return slices.Contains(m.Roles, role) }

// Takes is the member's weight among the importers: Weight x Share, and 0 for a member that does not import: one without the
// role, one that is draining or has left, and one that is joining or recovering, for it could not begin yet.
func (m Member) Takes() float64 {
	switch m.State {
	case Joining, Recovering, Draining, Left:
		return 0
	}
	if !m.Has(RoleImport) || m.Weight <= 0 {
		return 0
	}
	return float64(m.Weight) * m.Share
}

// leaves reports whether the member is on its way out, by its own word.
func (m Member) leaves() bool { return m.State == Draining || m.State == Left }

// before is the order of duties: highest priority first, then smallest id.
func (m Member) before(o Member) bool {
	return m.Priority > o.Priority || m.Priority == o.Priority && m.ID < o.ID
}

// encode gives the entry in Consul. Load is rounded, so that small changes of it are no change.
func (m Member) encode() ([]byte, error) {
	m.Waiting, m.Lag = rounded(m.Waiting), time.Duration(rounded(int(m.Lag/time.Second)))*time.Second
	b, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("entry of member %q: %w", m.ID, err)
	}
	return b, nil
}

// decode reads the entry of the member with this id.
func decode(id string, value []byte) (Member, error) {
	var m Member
	if err := json.Unmarshal(value, &m); err != nil {
		return Member{}, fmt.Errorf("entry of member %q: %w", id, err)
	}
	if m.ID != id || m.Instance == "" {
		return Member{}, fmt.Errorf("entry of member %q names id %q, instance %q", id, m.ID, m.Instance)
	}
	return m, nil
}

// rounded cuts a number down to 1, 2, 3, 4, 6, 8, 12, 16, 24 ...: at most a third less.
func rounded(n int) int {
	if n < 4 {
		return max(n, 0)
	}
	step := 1
	for n/step >= 4 {
		step *= 2
	}
	return n / step * step
}
