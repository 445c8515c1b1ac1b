package admin

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
)

func TestMember_isWhatThisNodeKnowsOfIt(t *testing.T) {
	s := clustered(t, newFake(), func(c *Cluster) { c.Drift = append(c.Drift, "Node node-bb has other rules.") })
	w := request(t, s, "GET", "/v1/cluster/node-b")
	wantStatus(t, 200, w)
	for _, want := range []string{
		`"id":"node-b"`, `"part":0.097`, `"seen_by":"node-a","contact":true,"main":false`, `"drift":["node-b has other rules`,
		`"partitions":[{"name":"p/of-node-b","token":"7/1300","in_hand":0,"draining":false}]`, `"logs":[{"log":"node-b.MNOPQRSTUVWX","newest":1011`,
	} {
		wantText(t, want, w)
	}
	if text := w.Body.String(); strings.Contains(text, "node-bb") || strings.Contains(text, "null") {
		t.Errorf("want nothing of others, and no null: %s", text)
	}
	wantText(t, `"token":"7/1388"`, request(t, s, "GET", "/v1/cluster/node-a")) // it knows its own itself
	for _, target := range []string{"/v1/cluster/none", "/cluster/none"} {
		wantStatus(t, 404, request(t, s, "GET", target))
	}
	wantStatus(t, 501, request(t, newServer(t, newFake(), Options{}), "GET", "/v1/cluster/node-a"))
}

func TestMemberPage_showsOneNode(t *testing.T) {
	s := clustered(t, newFake(), nil)
	w := request(t, s, "GET", "/cluster/node-b", header("Accept", "text/html"))
	wantStatus(t, 200, w)
	for _, want := range []string{
		"Node <bdi>node-b</bdi>", "as <bdi>node-a</bdi> sees it", `<span class="state warn">recovering</span>`, `href="http://10.0.0.2:8480/cluster"`,
		"import, thumbnails, web", "slowed to 25\u202f%", `<dd class="warn"><bdi>1.1.9</bdi>`, `<dd class="warn">v41 <code`, "the oldest for 1 min 36 s",
		"It differs from the others.", "node-b has other rules", `<td role="cell" data-word="Followed up to" class="n warn">998</td>`, "p/of-node-b", "7/1300", "1 held", "Only it knows",
	} {
		wantText(t, want, w)
	}
	w = request(t, s, "GET", "/cluster/node-a")
	for _, want := range []string{"this node</span>", "main</span>", "7/1388", "is given back", "3 held, 5 in hand in 2 of them", "a segment was missing", "120\u202f411"} {
		wantText(t, want, w)
	}
	if strings.Contains(w.Body.String(), "It differs") {
		t.Error("node-a shows how node-b differs")
	}
}

func TestMemberPage_hostileNamesStayNames(t *testing.T) {
	page := func(name string) string {
		s := clustered(t, newFake(), func(c *Cluster) {
			m := Member{ID: name, Instance: name, Address: name + ":1:2", State: State(name), Roles: []string{name}, Version: name, Rules: name, RulesVersion: 1}
			c.Node, c.Main, c.Drift, c.Members = name, name, []string{name}, []Member{m}
			c.Invalidation.Origins = []Origin{{Log: name + ".x"}}
		}, func(b *Backend) { b.HeldBy = func(string) []Partition { return []Partition{{name, name, 1, true}} } })
		return request(t, s, "GET", "/cluster/"+url.PathEscape(name)).Body.String()
	}
	want := strings.Count(page("harmless"), "<")
	for _, name := range hostile {
		got := page(name)
		if n := strings.Count(got, "<"); n != want {
			t.Errorf("%q: want %d tags, got %d", name, want, n)
		}
		for _, bad := range []string{"\u202e", "\u2066", "\u200b", "\a", "\xff", "line\nend", "<script>alert", "ZgotmplZ", `href="javascript`} {
			if strings.Contains(got, bad) {
				t.Errorf("%q: the page holds %q", name, bad)
			}
		}
	}
}

func TestForgetMain_isOfferedWhileItIsLost(t *testing.T) {
	f := newFake()
	lost := func(c *Cluster) { c.Isolation, c.Main = "static", "node-z" }
	s := clustered(t, f, lost)
	wantText(t, `action="/v1/cluster/node-z/forget"`, request(t, s, "GET", "/cluster"))
	w := request(t, s, "POST", "/v1/cluster/node-z/forget", header("Accept", "text/html"))
	if w.Code != 303 || w.Header().Get("Location") != "/cluster" || !slices.Equal(f.calls, []string{"forget node-z"}) {
		t.Errorf("want the page again, got %d, calls %q", w.Code, f.calls)
	}
	if w = request(t, s, "POST", "/v1/cluster/node-z/forget"); w.Code != 200 || !strings.Contains(w.Body.String(), `"forgotten":"node-z"`) {
		t.Errorf("want JSON, got %d %s", w.Code, w.Body)
	}
	refuses := clustered(t, f, lost, func(b *Backend) {
		b.ForgetMain = func(context.Context, string) error { return fmt.Errorf("%w: it is live", ErrRefused) }
	})
	wantStatus(t, 409, request(t, refuses, "POST", "/v1/cluster/node-z/forget"))
	for what, s := range map[string]*Server{
		"it lives":       clustered(t, f, func(c *Cluster) { c.Isolation = "static" }),
		"another way":    clustered(t, f, func(c *Cluster) { c.Main = "node-z" }),
		"no contact":     clustered(t, f, func(c *Cluster) { lost(c); c.Contact = false }),
		"nobody is main": clustered(t, f, func(c *Cluster) { c.Isolation, c.Main = "static", "" }),
	} {
		if strings.Contains(request(t, s, "GET", "/cluster").Body.String(), "/forget") {
			t.Errorf("%s: the page offers to forget it", what)
		}
	}
}

func TestPause_aRuleIsNotResumed(t *testing.T) {
	f := newFake()
	s := clustered(t, f, nil, func(b *Backend) {
		b.Pause = func(_ context.Context, _ string, on bool) error {
			if on {
				return errors.New("want no pause")
			}
			return fmt.Errorf("%w: its rule pauses it", ErrRefused)
		}
	})
	w := request(t, s, "POST", "/v1/hotfolders/"+f.folders[0].Name+"/resume")
	wantStatus(t, 409, w)
	wantText(t, "its rule pauses it", w)
}
