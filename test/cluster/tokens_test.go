package cluster_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"hotfolderd/leases/consul/consultest"
)

const (
	oldToken = "the-token-until-today"
	newToken = "the-token-from-now-on"
)

// TestTokens_anotherOneComesInWithoutAPause changes the token at one node after the other, in the documented steps. In this hotfolder only
// what a node is told by the one that took a drop is known to be whole, so each drop that goes says that nodes believe each other.
func TestTokens_anotherOneComesInWithoutAPause(t *testing.T) {
	t.Parallel()
	w := newWorld(t, []string{consultest.Start(t).Addr}, 2)
	write(t, filepath.Join(w.rules, "inbox.yaml"), "hotfolder: inbox\ncomplete: { settle: 1h, watch: poll }\nthumbnails: { sizes: [] }\n")
	for _, p := range w.nodes {
		p.wants(oldToken)
	}
	w.begin()
	w.awaitWhole(w.nodes...)
	a, b := w.nodes[0], w.nodes[1]
	n := 0
	dropped := func(when string) {
		t.Helper()
		var names []string
		for range 12 {
			n++
			names = append(names, fmt.Sprintf("%d.txt", n))
			a.sendFrom(neighbour, http.StatusCreated, "/v1/hotfolders/inbox/"+names[len(names)-1], "drop "+names[len(names)-1])
		}
		for _, name := range names {
			within(t, time.Minute, when+": "+name+" is imported", func() bool { return !w.tree.has("hotfolders/inbox/" + name) }, w)
		}
	}
	dropped("one token")
	a.takes(oldToken, newToken)
	dropped("one node knows the new one too")
	b.takes(oldToken, newToken)
	dropped("both do")
	b.takes(newToken)
	dropped("one knows the new one alone")
	a.takes(newToken)
	dropped("both know it alone")
	by := map[string]int{}
	for _, r := range w.ledger() {
		by[r.Node]++
	}
	if by["a"]+by["b"] != n || by["b"] == 0 {
		t.Errorf("want %d imports, some by b, got %v", n, by)
	}

	banned(t, b)
	dropped("somebody guesses on a node's machine")
}

// neighbour is another address of this machine than the one that nodes ask each other from.
var neighbour = &http.Client{Timeout: 15 * time.Second, Transport: &http.Transport{
	DialContext: (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 9)}}).DialContext,
}}

// wants makes a node that was not started yet want a token.
func (p *process) wants(token string) {
	p.t.Helper()
	text, err := os.ReadFile(p.settings)
	if err != nil {
		p.t.Fatal(err)
	}
	file := filepath.Join(p.home, "token")
	write(p.t, p.settings, strings.Replace(string(text), "http: { ", fmt.Sprintf("http: { token_file: %q, ", file), 1))
	write(p.t, file, token)
	p.token = token
}

// takes gives a node other tokens, and waits until it has them.
func (p *process) takes(tokens ...string) {
	p.t.Helper()
	file := filepath.Join(p.home, "token")
	before := strings.Count(p.log.String(), "was read again")
	write(p.t, file+".new", strings.Join(tokens, "\n")+"\n")
	if err := os.Rename(file+".new", file); err != nil {
		p.t.Fatal(err)
	}
	p.token = tokens[len(tokens)-1]
	within(p.t, time.Minute, p.id+" knows other tokens", func() bool {
		_ = p.ask(neighbour, http.MethodGet, "/v1/node", p.token, "") // it is looked at when somebody asks
		return strings.Count(p.log.String(), "was read again") > before
	}, p.log)
}

// sendFrom puts a body there with this client.
func (p *process) sendFrom(c *http.Client, want int, route, body string) {
	p.t.Helper()
	if got := p.ask(c, http.MethodPut, route, p.token, body); got != want {
		p.t.Fatalf("%s: PUT %s: want %d, got %d\n%s", p.id, route, want, got, p.tail())
	}
}

// ask is the status of an answer; 0 when there is none.
func (p *process) ask(c *http.Client, method, route, token, body string) int {
	req, err := http.NewRequestWithContext(p.t.Context(), method, "http://"+p.addr+route, strings.NewReader(body))
	if err != nil {
		return 0
	}
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := c.Do(req)
	if err != nil {
		return 0
	}
	_ = res.Body.Close()
	return res.StatusCode
}

// banned guesses tokens from the address that nodes ask each other from until it is banned.
func banned(t *testing.T, p *process) {
	t.Helper()
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() { p.ask(client, http.MethodGet, "/v1/node", "a guess of a token", "") })
	}
	all.Wait()
	if got := p.ask(client, http.MethodGet, "/v1/node", p.token, ""); got != http.StatusTooManyRequests {
		t.Fatalf("want the address banned, got %d", got)
	}
}
