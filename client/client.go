package client

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Defaults of [Options].
const (
	DefaultIdle     = 15 * time.Minute
	DefaultPatience = 30 * time.Second
	DefaultRole     = "web"
)

const (
	dialTimeout     = 3 * time.Second
	keepAlive       = 15 * time.Second
	idleConnections = 90 * time.Second // less than a node waits for the next request
	perNode         = 32               // connections kept for a node
	continueTimeout = 3 * time.Second  // for a node to take or refuse a large body before it is sent
)

// Options of a client. The zero value is for nodes that want no token.
type Options struct {
	Token    string                                    // sent to every node, as Authorization: Bearer
	RootCAs  *x509.CertPool                            // for https addresses; nil: those of the system
	Fixed    bool                                      // ask only the addresses given, not the members that they tell of; always so when one is https
	Role     string                                    // of the nodes that are asked; empty: DefaultRole
	Idle     time.Duration                             // after so long without a request another node may be better; 0: DefaultIdle
	Patience time.Duration                             // for which nodes are tried that do not serve a request; 0: DefaultPatience
	Moved    func(Move)                                // told, within a call, when a request goes to another node than the last one; may be nil
	Wrap     func(http.RoundTripper) http.RoundTripper // around what sends requests, for tracing; may be nil
}

// Move says from which node to which the client went.
type Move struct {
	From, To string // addresses; From is empty at the first request
	Why      error  // what the last request at From came to; nil: a better choice
}

// Client talks to a cluster. Its methods are safe for concurrent use; requests side by side use one node.
type Client struct {
	o       Options
	http    *http.Client
	idle    func()
	fleet   *fleet
	indexes indexes
}

// New makes a client; it asks nobody yet. An address is host:port, http://host:port or https://host:port. Close it when it is not
// needed any more.
func New(addresses []string, o Options) (*Client, error) {
	if o.Idle == 0 {
		o.Idle = DefaultIdle
	}
	if o.Patience == 0 {
		o.Patience = DefaultPatience
	}
	if o.Role == "" {
		o.Role = DefaultRole
	}
	seeds, err := seedsOf(addresses)
	if err != nil {
		return nil, err
	}
	o.Fixed = o.Fixed || slices.ContainsFunc(seeds, func(s string) bool { return strings.HasPrefix(s, "https:") })
	t := transport(o.RootCAs)
	c := &Client{o: o, idle: t.CloseIdleConnections, http: &http.Client{
		Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	if o.Wrap != nil {
		c.http.Transport = o.Wrap(t)
	}
	c.fleet = newFleet(seeds, o)
	return c, nil
}

// Close lets idle connections go. What is under way goes on. Idempotent.
func (c *Client) Close() { c.idle() }

func transport(cas *x509.CertPool) *http.Transport {
	d := net.Dialer{Timeout: dialTimeout, KeepAlive: keepAlive}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: d.DialContext, TLSClientConfig: &tls.Config{RootCAs: cas, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout: dialTimeout, IdleConnTimeout: idleConnections, MaxIdleConnsPerHost: perNode,
		ExpectContinueTimeout: continueTimeout, DisableCompression: true, ForceAttemptHTTP2: true,
	}
}

// seedsOf makes addresses to URLs without a path.
func seedsOf(addresses []string) ([]string, error) {
	var all []string
	for _, a := range addresses {
		s, err := baseOf(strings.TrimSpace(a))
		if err != nil {
			return nil, err
		}
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	if len(all) == 0 {
		return nil, errors.New("no address of a node was given")
	}
	return all, nil
}

func baseOf(address string) (string, error) {
	text := address
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		return "", fmt.Errorf("%q is no address of a node: it is host:port or https://host:port", address)
	case strings.Trim(u.Path, "/")+u.RawQuery+u.Fragment != "" || u.User != nil:
		return "", fmt.Errorf("%q is no address of a node: nothing may follow the port, and nobody stand before the host", address)
	case u.Port() == "" && u.Scheme == "http":
		return "", fmt.Errorf("%q is no address of a node: it has no port", address)
	}
	return u.Scheme + "://" + u.Host, nil
}
