package client

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"hotfolderd/asset"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// played are nodes that share what they store.
type played struct {
	t     *testing.T
	nodes []*playedNode

	mu     sync.Mutex
	assets map[string][]byte
	number map[string]int
	done   map[string]int // number by name and word
	bytes  map[string][]byte
}

type playedNode struct {
	p     *played
	id    string
	srv   *httptest.Server
	state string
	roles []string

	asked  []string                                          // requests for assets, and the index that they carried
	before func(w http.ResponseWriter, r *http.Request) bool // true: it has answered
	after  func(w http.ResponseWriter, r *http.Request)      // before the answer to a write
	cut    int                                               // bytes of a download, then it breaks off; 0: all
}

func play(t *testing.T, n int) *played {
	p, end := newPlayed(n)
	p.t = t
	t.Cleanup(end)
	return p
}

func newPlayed(n int) (p *played, end func()) {
	p = &played{assets: map[string][]byte{}, number: map[string]int{}, done: map[string]int{}, bytes: map[string][]byte{}}
	for i := range n {
		node := &playedNode{p: p, id: fmt.Sprintf("node-%c", 'a'+i), state: "active", roles: []string{"web"}}
		node.srv = httptest.NewServer(node)
		p.nodes = append(p.nodes, node)
	}
	return p, func() {
		for _, node := range p.nodes {
			node.srv.Close()
		}
	}
}

// PlayNodes is for the examples: addresses of nodes that remember what they are told, until end.
func PlayNodes(n int) (addresses []string, end func()) {
	p, end := newPlayed(n)
	(&uploads{}).plays(p)
	for _, node := range p.nodes {
		addresses = append(addresses, strings.TrimPrefix(node.srv.URL, "http://"))
	}
	return addresses, end
}

// client is one that knows the first node only.
func (p *played) client(o Options) *Client {
	p.t.Helper()
	c, err := New([]string{p.nodes[0].srv.URL}, o)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(c.Close)
	return c
}

// at is the node of an address.
func (p *played) at(base string) *playedNode {
	for _, n := range p.nodes {
		if n.srv.URL == base {
			return n
		}
	}
	return nil
}

// set changes nodes while they are asked.
func (p *played) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}

func (n *playedNode) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n.p.mu.Lock()
	before := n.before
	n.p.mu.Unlock()
	if before != nil && before(w, r) {
		return
	}
	switch name, isAsset := strings.CutPrefix(r.URL.Path, "/v1/assets/"); {
	case r.URL.Path == "/livez":
	case r.URL.Path == "/v1/cluster":
		n.cluster(w)
	case isAsset && r.Method == http.MethodPut:
		n.put(w, r, name)
	case isAsset && r.Method == http.MethodDelete:
		n.remove(w, r, name)
	case isAsset:
		n.get(w, r, name)
	case strings.HasPrefix(r.URL.Path, "/v1/content/"):
		n.get(w, r, r.URL.Path)
	default:
		http.NotFound(w, r)
	}
}

func (n *playedNode) cluster(w http.ResponseWriter) {
	n.p.mu.Lock()
	defer n.p.mu.Unlock()
	var all []map[string]any
	for _, m := range n.p.nodes {
		if m.state != "" {
			all = append(all, map[string]any{
				"id": m.id, "instance": m.id + ".X", "address": strings.TrimPrefix(m.srv.URL, "http://"), "state": m.state, "roles": m.roles,
				"weight": 1, "share": 1,
			})
		}
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"members": all})
}

func (n *playedNode) note(r *http.Request) {
	n.asked = append(n.asked, strings.TrimSpace(r.Method+" "+r.Header.Get(indexHeader)))
}

func problem(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"title": http.StatusText(status), "status": status, "detail": detail})
}

func (n *playedNode) put(w http.ResponseWriter, r *http.Request, name string) {
	if n.state != "active" {
		problem(w, http.StatusServiceUnavailable, "this node is "+n.state)
		return
	}
	data, err := io.ReadAll(r.Body)
	if err != nil {
		problem(w, http.StatusBadRequest, err.Error())
		return
	}
	n.p.mu.Lock()
	n.note(r)
	word := name + " " + r.Header.Get("Idempotency-Key")
	old, there := n.p.assets[name]
	number, again := n.p.done[word]
	var tag string
	if there {
		tag = `"` + asset.Hash(sha256.Sum256(old)).String() + `"`
	}
	match := r.Header.Get("If-Match")
	if !again && (r.Header.Get("If-None-Match") == "*" && there || match != "" && match != tag) {
		n.p.mu.Unlock()
		problem(w, http.StatusPreconditionFailed, "it does not hold")
		return
	}
	if !again {
		n.p.assets[name] = data
		n.p.number[name]++
		number = n.p.number[name]
		n.p.done[word] = number
	}
	w.Header().Set(indexHeader, fmt.Sprintf("%s.X:%d", n.id, len(n.p.done)))
	after := n.after
	n.p.mu.Unlock()
	if after != nil {
		after(w, r)
	}
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(Stored{Name: asset.Key(name), Number: number, Hash: sha256.Sum256(data), Size: int64(len(data)), Type: "text/plain"})
}

func (n *playedNode) remove(w http.ResponseWriter, r *http.Request, name string) {
	n.p.mu.Lock()
	_, there := n.p.assets[name]
	delete(n.p.assets, name)
	after := n.after
	n.note(r)
	n.p.mu.Unlock()
	if !there {
		problem(w, http.StatusNotFound, "there is no asset")
		return
	}
	if after != nil {
		after(w, r)
	}
	w.WriteHeader(http.StatusNoContent)
}

func (n *playedNode) get(w http.ResponseWriter, r *http.Request, name string) {
	n.p.mu.Lock()
	n.note(r)
	data, there := n.p.assets[name]
	for _, b := range n.p.assets {
		n.p.bytes["/v1/content/"+asset.Hash(sha256.Sum256(b)).String()] = b
	}
	if !there {
		data, there = n.p.bytes[name]
	}
	cut, number := n.cut, n.p.number[name]
	n.p.mu.Unlock()
	if !there {
		problem(w, http.StatusNotFound, "there is no asset "+name)
		return
	}
	w.Header().Set("ETag", `"`+asset.Hash(sha256.Sum256(data)).String()+`"`)
	w.Header().Set("X-Hotfolder-Version", fmt.Sprint(number))
	out := w
	if cut > 0 {
		out = &cutting{w, cut}
	}
	http.ServeContent(out, r, name, time.Unix(1000, 0), bytes.NewReader(data))
}

// cutting breaks the connection off after some bytes.
type cutting struct {
	http.ResponseWriter
	left int
}

func (c *cutting) Write(b []byte) (int, error) {
	n, err := c.ResponseWriter.Write(b[:min(len(b), c.left)])
	if c.left -= n; c.left == 0 {
		_ = http.NewResponseController(c.ResponseWriter).Flush()
		panic(http.ErrAbortHandler)
	}
	return n, err
}

func abort(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
