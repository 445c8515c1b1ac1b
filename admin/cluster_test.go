package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"hotfolderd/asset"
)

// sampleCluster has three nodes: this one, one that falls behind and has other rules, and one that nobody reaches.
func sampleCluster() Cluster {
	roles := []string{"import", "thumbnails", "web"}
	own := strings.Repeat("ab12", 16)
	return Cluster{
		Node: "node-a", Instance: "node-a.ABCDEFGHIJKL", Main: "node-a", Isolation: "majority", Contact: true, Writable: true, Importing: true,
		Drift: []string{`node-b has other rules (cd34cd34cd34) than the rest`},
		Members: []Member{
			{
				ID: "node-a", Instance: "node-a.ABCDEFGHIJKL", Address: "10.0.0.1:8480", State: Active, Roles: roles, Weight: 2, Priority: 100, Share: 1, Part: 0.9,
				Version: "1.2.0", Rules: own, RulesVersion: 42, Waiting: 12, Lag: 3 * time.Second, Started: time.Now().Add(-50 * time.Hour), Self: true,
			},
			{
				ID: "node-b", Instance: "node-b.MNOPQRSTUVWX", Address: "10.0.0.2:8480", State: Recovering, Roles: roles, Weight: 1, Priority: 50, Share: 0.25, Part: 0.097,
				Version: "1.1.9", Rules: strings.Repeat("cd34", 16), RulesVersion: 41, Waiting: 12288, Lag: 96 * time.Second, Started: time.Now().Add(-5 * time.Minute),
			},
			{
				ID: "node-c", Instance: "node-c.YZABCDEFGHIJ", Address: "10.0.0.3:8480", State: Active, Roles: roles[2:], Weight: 1, Priority: 50, Share: 1,
				Version: "1.2.0", Rules: own, RulesVersion: 42, Started: time.Now().Add(-49 * time.Hour), Suspected: true,
			},
		},
		Partitions: []Partition{{"p/3", "7/1201", 4, false}, {"p/17", "7/1201", 0, false}, {"p/scans/2", "7/1388", 1, true}},
		Invalidation: Invalidation{
			Fresh: true, Lag: 4 * time.Second, Last: "node-a.ABCDEFGHIJKL:1188", Events: 120_411, Clears: 1, Why: "a segment was missing",
			Origins: []Origin{
				{Log: "node-a.ABCDEFGHIJKL", Newest: 1188, Followed: 1188, Self: true},
				{Log: "node-b.MNOPQRSTUVWX", Newest: 1011, Followed: 998, Open: 3},
				{Log: "node-c.ZZZZZZZZZZZZ", Newest: 12, Followed: 12, Closed: true},
			},
		},
	}
}

// clustered offers what a node of a cluster does; edit changes the sample.
func clustered(t *testing.T, f *fake, edit func(*Cluster), more ...func(*Backend)) *Server {
	t.Helper()
	c := sampleCluster()
	if edit != nil {
		edit(&c)
	}
	b := f.backend()
	b.Cluster = func() Cluster { return c }
	b.ClearCache = func(context.Context) (string, error) { f.call("clear"); return "node-a.X:9", nil }
	b.HeldBy = func(id string) []Partition { return []Partition{{Name: "p/of-" + id, Token: "7/1300"}} }
	b.ForgetMain = func(_ context.Context, id string) error { f.call("forget %s", id); return nil }
	b.Drain = func(d time.Duration) { f.call("drain %s", d) }
	b.Index = func() string { return "node-a.X:8" }
	for _, m := range more {
		m(&b)
	}
	s, err := New(b, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestLivez_tellsTheInstance(t *testing.T) {
	f := newFake()
	if got := request(t, newServer(t, f, Options{}), "GET", "/livez").Header().Values("Hotfolder-Instance"); len(got) != 0 {
		t.Errorf("want no instance of a node that is alone, got %q", got)
	}
	f.node.Instance = "node-a.ABCDEFGHIJKL"
	w := request(t, newServer(t, f, Options{Token: testToken}), "GET", "/livez") // members do not show a token
	if got := w.Header().Get("Hotfolder-Instance"); w.Code != 200 || got != "node-a.ABCDEFGHIJKL" {
		t.Errorf("want 200 with the instance, got %d, %q", w.Code, got)
	}
}

func TestCluster_aNodeThatIsAloneSaysSo(t *testing.T) {
	s := newServer(t, newFake(), Options{})
	for _, target := range []string{"/v1/cluster", "/cluster"} {
		w := request(t, s, "GET", target)
		wantStatus(t, 501, w)
		wantText(t, "this node is alone", w)
	}
	for _, target := range []string{"/v1/cache/clear", "/v1/drain"} {
		wantStatus(t, 501, request(t, s, "POST", target))
	}
	if strings.Contains(request(t, s, "GET", "/").Body.String(), "/cluster") {
		t.Error("the page of a node that is alone leads to a cluster")
	}
}

func TestCluster_asJSONHasStableNamesAndNoNull(t *testing.T) {
	w := request(t, clustered(t, newFake(), nil), "GET", "/v1/cluster")
	wantStatus(t, 200, w)
	for _, want := range []string{
		`"node":"node-a","instance":"node-a.ABCDEFGHIJKL","main":"node-a","isolation":"majority","contact":true,"writable":true,"importing":true,"drift":["node-b has`,
		`"id":"node-b","instance":"node-b.MNOPQRSTUVWX","address":"10.0.0.2:8480","state":"recovering","roles":["import","thumbnails","web"],"weight":1,"priority":50,"share":0.25,"part":0.097`,
		`"rules_version":41,"waiting":12288,"lag":96000000000,"started":"`, `"suspected":true,"self":false`,
		`"partitions":[{"name":"p/3","token":"7/1201","in_hand":4,"draining":false}`, `"invalidation":{"fresh":true,"lag":4000000000,"last":"node-a.ABCDEFGHIJKL:1188","origins":[`,
		`{"log":"node-b.MNOPQRSTUVWX","newest":1011,"followed":998,"open":3,"closed":false,"self":false}`, `"events":120411,"clears":1,"why":"a segment was missing"`,
	} {
		wantText(t, want, w)
	}
	w = request(t, clustered(t, newFake(), func(c *Cluster) { *c = Cluster{Members: []Member{{ID: "x"}}} }), "GET", "/v1/cluster")
	var any map[string]json.RawMessage
	if err := json.Unmarshal(w.Body.Bytes(), &any); err != nil || strings.Contains(w.Body.String(), "null") {
		t.Errorf("want no null, got %s, %v", w.Body, err)
	}
}

func TestClusterPage_showsTheMembers(t *testing.T) {
	s := clustered(t, newFake(), nil)
	w := request(t, s, "GET", "/cluster", header("Accept", "text/html"))
	wantStatus(t, 200, w)
	for _, want := range []string{
		`<bdi>node-a</bdi></a> <span class="tag">main</span> <span class="tag">this node</span>`, `<span class="state ok">active</span>`,
		`<span class="state warn">recovering</span>`, `<span class="state bad">not reached</span>`, "2 active, 1 recovering",
		`href="http://10.0.0.2:8480/cluster"`, `<td role="cell" data-word="Share" class="n">90 %</td>`, `<td role="cell" data-word="Share" class="n warn">10 %, slowed to 25 %</td>`, `<a href="/cluster/node-b"><bdi>node-b</bdi></a>`, `<td role="cell" data-word="Rules" class="warn">v41 <code`, `<td role="cell" data-word="Version" class="warn"><bdi>1.1.9</bdi></td>`,
		"12\u202f288", "1 min 36 s", "The members differ.", "node-b has other rules", "3 held, 5 in hand in 2 of them", "7/1388",
		"node-a.ABCDEFGHIJKL:1188", `<div class="bad"><dt>behind by</dt><dd>4 s</dd></div>`, "120\u202f411", "a segment was missing",
		`<td role="cell" data-word="Newest" class="n">1 011</td><td role="cell" data-word="Followed up to" class="n warn">998</td><td role="cell" class="dim">3 under way</td>`, `<td role="cell" data-word="Followed up to" class="n">12</td><td role="cell" class="dim">closed</td>`, "is given back",
	} {
		wantText(t, want, w)
	}
	if strings.Contains(w.Body.String(), `href="http://10.0.0.1:8480`) {
		t.Error("the node links to itself by the address of others")
	}
	wantText(t, `<a href="/cluster">Cluster</a>`, request(t, s, "GET", "/"))
}

func TestPage_readOnlyShowsTheReason(t *testing.T) {
	f := newFake()
	f.node.State = ReadOnly
	s := clustered(t, f, func(c *Cluster) {
		c.Contact, c.Writable, c.Why, c.Importing, c.ImportingWhy = false, false, "Consul has not answered <for> 14 s", false, "it is read-only"
	})
	for _, target := range []string{"/", "/cluster"} {
		w := request(t, s, "GET", target)
		wantText(t, "<strong>This node is read-only:</strong>", w)
		wantText(t, "Consul has not answered &lt;for&gt; 14 s", w)
		if strings.Contains(w.Body.String(), "Imports wait.") {
			t.Error("a read-only node has two banners for one thing")
		}
	}
	f.node.State = Draining
	if page := request(t, clustered(t, f, func(c *Cluster) { c.Why = "it has contact" }), "GET", "/").Body.String(); strings.Contains(page, "it has contact") {
		t.Error("want no reason why the node may write where it is said that it drains")
	}
	s = clustered(t, newFake(), func(c *Cluster) { c.Importing, c.ImportingWhy = false, "1 of 3 nodes is there" })
	wantText(t, "<strong>Imports wait.</strong> <bdi>1 of 3 nodes is there</bdi>", request(t, s, "GET", "/"))
}

func TestClusterPage_hostileNamesStayNames(t *testing.T) {
	page := func(name string) string {
		return request(t, clustered(t, newFake(), func(c *Cluster) {
			m := Member{ID: name, Instance: name, Address: name, State: State(name), Roles: []string{name}, Version: name, Rules: name, RulesVersion: 1}
			c.Node, c.Instance, c.Main, c.Isolation, c.Why, c.ImportingWhy, c.Drift = name, name, name, name, name, name, []string{name}
			c.Members, c.Partitions = []Member{m}, []Partition{{name, name, 1, true}}
			c.Invalidation.Last, c.Invalidation.Why, c.Invalidation.Origins = name, name, []Origin{{Log: name}}
		}), "GET", "/cluster").Body.String()
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

func TestClearCache_answersTheIndex(t *testing.T) {
	f := newFake()
	w := request(t, clustered(t, f, nil), "POST", "/v1/cache/clear")
	wantStatus(t, 200, w)
	if got := w.Header().Get(indexHeader); got != "node-a.X:9" || !strings.Contains(w.Body.String(), `"index":"node-a.X:9"`) {
		t.Errorf("want the index of the clearing, got %q, %s", got, w.Body)
	}
	w = request(t, clustered(t, f, nil, func(b *Backend) {
		b.ClearCache = func(context.Context) (string, error) { return "", fmt.Errorf("tell the others: %w", asset.ErrNotNow) }
	}), "POST", "/v1/cache/clear")
	wantStatus(t, http.StatusServiceUnavailable, w)
	if w.Header().Get("Retry-After") == "" {
		t.Error("want Retry-After")
	}
}

func TestDrain_takesADeadline(t *testing.T) {
	f := newFake()
	s := clustered(t, f, nil)
	for _, c := range []struct {
		body string
		want int
	}{
		{`{"deadline":"90s"}`, 202},
		{`{"deadline":"0s"}`, 202},
		{"", 202},
		{"{}", 202},
		{`{"deadline":90}`, 400},
		{`{"deadline":"-1s"}`, 400},
		{`{"deadline":"25h"}`, 400},
		{`{"dedline":"90s"}`, 400},
		{"soon", 400},
	} {
		w := request(t, s, "POST", "/v1/drain", body(c.body))
		if w.Code != c.want {
			t.Errorf("%s: want %d, got %d %s", c.body, c.want, w.Code, w.Body)
		}
	}
	if want := []string{"drain 1m30s", "drain 0s", "drain 1m0s", "drain 1m0s"}; !slices.Equal(want, f.calls) {
		t.Errorf("want %q, got %q", want, f.calls)
	}
}
