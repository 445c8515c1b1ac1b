package cluster_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// client is kept apart from the default one: its connections to a node that was killed must not hurt another test.
var client = &http.Client{Timeout: 15 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 16}}

// reply is what a node answered.
type reply struct {
	status int
	index  string // X-Hotfolder-Index
	after  string // Retry-After
	body   string
}

// String is for messages.
func (r reply) String() string {
	return fmt.Sprintf("%d, index %q, retry after %q: %s", r.status, r.index, r.after, r.body[:min(300, len(r.body))])
}

// do sends one request; an index is sent along when it is not empty.
func (p *process) do(method, route, index, body string) (reply, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, "http://"+p.addr+route, strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	if index != "" {
		req.Header.Set("X-Hotfolder-Index", index)
	}
	p.show(req)
	res, err := client.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return reply{res.StatusCode, res.Header.Get("X-Hotfolder-Index"), res.Header.Get("Retry-After"), string(b)}, err
}

// must is do, whose answer must have this status.
func (p *process) must(status int, method, route, index, body string) reply {
	p.t.Helper()
	r, err := p.do(method, route, index, body)
	if err != nil || r.status != status {
		p.t.Fatalf("%s: %s %s: want %d, got %v, %v", p.id, method, route, status, r, err)
	}
	return r
}

// put, fetch and remove work on one asset.
func (p *process) put(name, body string) reply {
	p.t.Helper()
	return p.must(http.StatusCreated, http.MethodPut, "/v1/assets/"+name, "", body)
}

func (p *process) fetch(name, index string) reply {
	p.t.Helper()
	return p.must(http.StatusOK, http.MethodGet, "/v1/assets/"+name, index, "")
}

func (p *process) remove(name string) reply {
	p.t.Helper()
	return p.must(http.StatusNoContent, http.MethodDelete, "/v1/assets/"+name, "", "")
}

// view is what /v1/cluster answers, as far as these tests look at it.
type view struct {
	Node         string   `json:"node"`
	Instance     string   `json:"instance"`
	Main         string   `json:"main"`
	Contact      bool     `json:"contact"`
	Writable     bool     `json:"writable"`
	Why          string   `json:"why"`
	Importing    bool     `json:"importing"`
	ImportingWhy string   `json:"importing_why"`
	Drift        []string `json:"drift"`
	Members      []struct {
		ID           string  `json:"id"`
		Instance     string  `json:"instance"`
		Address      string  `json:"address"`
		State        string  `json:"state"`
		Share        float64 `json:"share"`
		Rules        string  `json:"rules"`
		RulesVersion int     `json:"rules_version"`
		Waiting      int     `json:"waiting"`
		Lag          int64   `json:"lag"`
		Self         bool    `json:"self"`
	} `json:"members"`
	Partitions []struct {
		Name string `json:"name"`
	} `json:"partitions"`
	Invalidation struct {
		Fresh  bool   `json:"fresh"`
		Events uint64 `json:"events"`
		Clears uint64 `json:"clears"`
	} `json:"invalidation"`
}

// view is how a node sees the cluster now; the zero view when it does not answer.
func (p *process) view() (v view) {
	p.get("/v1/cluster", &v)
	return v
}

// partitions are those that a node holds: of all hotfolders together, or of one that is pinned.
func (v view) partitions(hotfolder string) (n int) {
	for _, p := range v.Partitions {
		if pinned, rest, _ := strings.Cut(strings.TrimPrefix(p.Name, "p/"), "/"); rest == "" && hotfolder == "" || rest != "" && pinned == hotfolder {
			n++
		}
	}
	return n
}

// states are those of the members, "a:active b:active".
func (v view) states() string {
	var all []string
	for _, m := range v.Members {
		all = append(all, m.ID+":"+m.State)
	}
	return strings.Join(all, " ")
}

// state is what the node says of itself.
func (p *process) state() string {
	var n struct {
		State string `json:"state"`
	}
	p.get("/v1/node", &n)
	return n.State
}

// awaitState waits until the node is in a state.
func (p *process) awaitState(state string) {
	p.t.Helper()
	within(p.t, 40*time.Second, p.id+" is "+state, func() bool { return p.state() == state }, p.log)
}

// awaitWhole waits until these nodes see only each other, all active, and have all partitions among them, and returns how many
// each has.
func (w *world) awaitWhole(nodes ...*process) (held []int) {
	w.t.Helper()
	within(w.t, 40*time.Second, "a cluster that is whole", func() bool {
		sum := 0
		held = nil
		for _, p := range nodes {
			v := p.view()
			n := v.partitions("")
			held, sum = append(held, n), sum+n
			if len(v.Members) != len(nodes) || strings.Count(v.states(), ":active") != len(nodes) || !v.Invalidation.Fresh {
				return false
			}
		}
		return sum == 256
	}, w)
	return held
}

// awaitFair waits until these nodes, all of one weight, have equal parts.
func (w *world) awaitFair(nodes ...*process) {
	w.t.Helper()
	var held []int
	within(w.t, 20*time.Second, "equal parts", func() bool {
		held = w.awaitWhole(nodes...)
		return slices.Max(held)-slices.Min(held) <= 1
	}, w)
}

// env is a number that the environment may make larger.
func env(t testing.TB, name string, n int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return n
	}
	more, err := strconv.Atoi(text)
	if err != nil || more < 1 {
		t.Fatalf("%s=%q is no number above 0", name, text)
	}
	return more
}
