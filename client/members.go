package client

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"time"
)

const (
	askEvery   = 10 * time.Second // the members are asked for, while the client is used
	askAgain   = time.Second      // after a failure
	askTimeout = 3 * time.Second
	maxMembers = 16 << 20 // bytes of an answer
)

// Member is one live node, as the node that was asked knows it.
type Member struct {
	ID        string   `json:"id"`
	Instance  string   `json:"instance"` // this start of it
	Address   string   `json:"address"`  // host:port of its HTTP
	State     string   `json:"state"`
	Roles     []string `json:"roles"`
	Weight    int      `json:"weight"`
	Share     float64  `json:"share"`   // how much of its weight it can do at the moment, at most 1
	Waiting   int      `json:"waiting"` // drops, rounded
	Suspected bool     `json:"suspected"`
	Gate      *Gate    `json:"gate,omitempty"` // nil: it takes no files by FTP
}

// Gate is where a member takes files by FTP.
type Gate struct {
	Address    string   `json:"address"`     // host:port of the control connection
	AddressTLS string   `json:"address_tls"` // encrypted from the first byte; empty: none
	Ports      string   `json:"ports"`       // of data connections, as 30000-30099
	Proxies    []string `json:"proxies"`     // load balancers that are believed by PROXY protocol v2
}

// Members tells who the live nodes are. A node that is alone answers an [*Error] that wraps [ErrRequest].
func (c *Client) Members(ctx context.Context) ([]Member, error) {
	var got struct {
		Members []Member `json:"members"`
	}
	if err := c.ask(ctx, "/v1/cluster", &got); err != nil {
		return nil, fmt.Errorf("ask for the members: %w", err)
	}
	return got.Members, nil
}

// learn asks for the members when what is known is old. It is no error that nobody answers: what is known stays.
func (c *Client) learn(ctx context.Context, troubled bool) {
	f := c.fleet
	if c.o.Fixed {
		return
	}
	select {
	case f.asking <- struct{}{}:
		defer func() { <-f.asking }()
	default:
		return // somebody does
	}
	order := f.toAsk(troubled)
	for _, base := range order {
		if c.askMembers(ctx, base) || ctx.Err() != nil {
			return
		}
	}
}

// toAsk are the nodes to ask, or none when what is known is new enough.
func (f *fleet) toAsk(troubled bool) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	every := askEvery
	if troubled {
		every = askAgain
	}
	if now.Sub(f.asked) < every {
		return nil
	}
	f.asked = now
	var order, others []string
	for base, n := range f.nodes {
		switch {
		case now.Before(n.until):
		case base == f.current:
			order = append(order, base)
		default:
			others = append(others, base)
		}
	}
	slices.Sort(others)
	return append(order, others...)
}

// askMembers reports whether this node has answered.
func (c *Client) askMembers(ctx context.Context, base string) bool {
	bounded, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(bounded, http.MethodGet, base+"/v1/cluster", nil)
	if err != nil {
		return false
	}
	c.show(req)
	res, err := c.http.Do(req)
	if err != nil {
		if ctx.Err() == nil {
			c.fleet.failed(base, err, 0)
		}
		return false
	}
	if res.StatusCode != http.StatusOK {
		return errorOf(res, base).Status == http.StatusNotImplemented // it is alone
	}
	defer res.Body.Close()
	var got struct {
		Members []Member `json:"members"`
	}
	if json.NewDecoder(io.LimitReader(res.Body, maxMembers)).Decode(&got) != nil || len(got.Members) == 0 {
		return false
	}
	c.fleet.take(got.Members, base)
	return true
}

// take remembers the members as a node tells them. One that begins anew is not left alone for what it did before.
func (f *fleet) take(members []Member, teller string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	there := map[string]bool{}
	for _, m := range members {
		base := "http://" + m.Address
		if !reachable(m.Address, teller) {
			continue
		}
		there[base] = true
		n := f.nodes[base]
		if n == nil {
			n = &node{base: base}
			f.nodes[base] = n
		}
		if n.instance != "" && n.instance != m.Instance {
			n.failures, n.until = 0, time.Time{}
		}
		n.instance, n.state, n.roles, n.weight, n.waiting = m.Instance, m.State, m.Roles, float64(m.Weight)*m.Share, m.Waiting
	}
	for base, n := range f.nodes {
		if there[base] {
			continue
		}
		if slices.Contains(f.seeds, base) {
			n.instance, n.state = "", ""
			continue
		}
		delete(f.nodes, base)
	}
}

// reachable reports whether a member's address can be meant for this client: one on loopback is on the teller's machine.
func reachable(address, teller string) bool {
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" || port == "" {
		return false
	}
	u, err := url.Parse(teller)
	return err == nil && (!loopback(host) || loopback(u.Hostname()))
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}
