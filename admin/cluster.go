package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"hotfolderd/config"
)

// Cluster is the cluster as one node sees it. Durations are nanoseconds in JSON.
type Cluster struct {
	Node         string       `json:"node"` // who tells this
	Instance     string       `json:"instance"`
	Main         string       `json:"main"`      // id of the main node; empty: none is known
	Isolation    string       `json:"isolation"` // majority, static or dynamic
	Contact      bool         `json:"contact"`   // Consul answers for a majority of its servers
	Writable     bool         `json:"writable"`
	Why          string       `json:"why,omitempty"` // why the node is writable or not
	Importing    bool         `json:"importing"`
	ImportingWhy string       `json:"importing_why,omitempty"` // what imports wait for
	Drift        []string     `json:"drift"`                   // what differs among the members and should not, a sentence each
	Members      []Member     `json:"members"`                 // in the order in which people should see them
	Partitions   []Partition  `json:"partitions"`              // held by this node
	Invalidation Invalidation `json:"invalidation"`
}

// Member is one node of the cluster.
type Member struct {
	ID           string        `json:"id"`
	Instance     string        `json:"instance"`
	Address      string        `json:"address"` // host:port of its HTTP; empty: none
	State        State         `json:"state"`
	Roles        []string      `json:"roles"`
	Weight       int           `json:"weight"`
	Priority     int           `json:"priority"`
	Share        float64       `json:"share"` // how much of its weight it can do at the moment, at most 1
	Part         float64       `json:"part"`  // of the partitions that all share, those that it holds
	Version      string        `json:"version"`
	Rules        string        `json:"rules"`         // hash of the rule set in force
	RulesVersion int           `json:"rules_version"` // 0: rule files of its own
	Waiting      int           `json:"waiting"`       // drops, rounded
	Lag          time.Duration `json:"lag"`           // how long the oldest of them has waited, rounded
	Started      time.Time     `json:"started,omitzero"`
	Suspected    bool          `json:"suspected"` // somebody cannot reach it
	Self         bool          `json:"self"`
	Gate         *Gate         `json:"gate,omitempty"` // nil: it takes no files by FTP
}

// Gate is where a member takes files by FTP.
type Gate struct {
	Address    string   `json:"address"`           // host:port of the control connection
	AddressTLS string   `json:"address_tls"`       // encrypted from the first byte; empty: none
	Ports      string   `json:"ports"`             // of data connections, as 30000-30099
	Proxies    []string `json:"proxies,omitempty"` // load balancers that are believed by PROXY protocol v2
}

// Partition is a part of the drops that this node walks.
type Partition struct {
	Name     string `json:"name"`
	Token    string `json:"token"`
	InHand   int    `json:"in_hand"`  // walks under it
	Draining bool   `json:"draining"` // it is given back when nothing is in hand
}

// Invalidation is how far this node has followed the changes of all.
type Invalidation struct {
	Fresh   bool          `json:"fresh"` // the others were heard lately: caches may be used
	Lag     time.Duration `json:"lag"`   // what was told longer ago than this was followed
	Last    string        `json:"last"`  // index of the newest change of this node
	Origins []Origin      `json:"origins"`
	Events  uint64        `json:"events"`        // names forgotten since the start
	Clears  uint64        `json:"clears"`        // times that everything was forgotten since the start
	Why     string        `json:"why,omitempty"` // of the last time
}

// Origin is one log of changes. Numbers count its changes from 1.
type Origin struct {
	Log      string `json:"log"`      // the instance that writes it, and "~1" and so on where that began anew
	Newest   uint64 `json:"newest"`   // as far as this node knows
	Followed uint64 `json:"followed"` // the newest that this node has followed
	Open     int    `json:"open"`     // changes under way
	Closed   bool   `json:"closed"`   // it goes on no more
	Self     bool   `json:"self"`     // written by this node
}

const (
	maxSmallBody   = 4 << 10
	defaultDrain   = config.Duration(time.Minute)
	longestDrain   = config.Duration(24 * time.Hour)
	drainBodyWords = `the body is empty or as {"deadline": "60s"}`
)

func alone() *problem {
	return newProblem(http.StatusNotImplemented, "this node is alone: its settings name no cluster.consul")
}

func (s *Server) showCluster(w http.ResponseWriter, _ *http.Request) error {
	if s.b.Cluster == nil {
		return alone()
	}
	return writeJSON(w, http.StatusOK, s.b.Cluster().whole())
}

// whole has no null where a list belongs.
func (c Cluster) whole() Cluster {
	c.Drift = append([]string{}, c.Drift...)
	c.Members = append([]Member{}, c.Members...)
	c.Partitions = append([]Partition{}, c.Partitions...)
	c.Invalidation.Origins = append([]Origin{}, c.Invalidation.Origins...)
	for i, m := range c.Members {
		c.Members[i].Roles = append([]string{}, m.Roles...)
	}
	return c
}

func (s *Server) clearCache(w http.ResponseWriter, r *http.Request) error {
	if s.b.ClearCache == nil {
		return notOffered("clearing caches")
	}
	index, err := fetch(r.Context(), s, s.b.ClearCache)
	if err != nil {
		return fmt.Errorf("clear the caches: %w", err)
	}
	w.Header().Set(indexHeader, index)
	if wantsPage(r) {
		goBack(w, r, "/cluster")
		return nil
	}
	return writeJSON(w, http.StatusOK, map[string]any{"cleared": true, "index": index})
}

// forgetMain gives the duty of a main node to another. A form of the page has the node in its address.
func (s *Server) forgetMain(w http.ResponseWriter, r *http.Request) error {
	if s.b.ForgetMain == nil {
		return alone()
	}
	id := r.PathValue("node")
	if err := s.do(r.Context(), func(ctx context.Context) error { return s.b.ForgetMain(ctx, id) }); err != nil {
		return err
	}
	if wantsPage(r) {
		goBack(w, r, "/cluster")
		return nil
	}
	return writeJSON(w, http.StatusOK, map[string]any{"forgotten": id})
}

// drain is answered when the node has begun to leave.
func (s *Server) drain(w http.ResponseWriter, r *http.Request) error {
	if s.b.Drain == nil {
		return notOffered("draining")
	}
	if wantsPage(r) {
		s.b.Drain(defaultDrain.D())
		goBack(w, r, "/cluster")
		return nil
	}
	deadline, err := drainDeadline(r.Body)
	if err != nil {
		return err
	}
	s.b.Drain(deadline.D())
	s.tellIndex(w)
	return writeJSON(w, http.StatusAccepted, map[string]any{"node": s.b.Node().ID, "deadline": deadline})
}

func drainDeadline(body io.Reader) (config.Duration, error) {
	asked := struct {
		Deadline config.Duration `json:"deadline"`
	}{defaultDrain}
	d := json.NewDecoder(io.LimitReader(body, maxSmallBody))
	d.DisallowUnknownFields()
	switch err := d.Decode(&asked); {
	case errors.Is(err, io.EOF):
		return defaultDrain, nil
	case err != nil:
		return 0, newProblem(http.StatusBadRequest, drainBodyWords+": "+Visible(err.Error()))
	case asked.Deadline > longestDrain:
		return 0, newProblem(http.StatusBadRequest, "a deadline is at most "+longestDrain.String())
	}
	return asked.Deadline, nil
}
