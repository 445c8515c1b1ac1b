package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"hotfolderd/admin"
)

// played is a node that answers what a test wants.
type played struct {
	mu      sync.Mutex
	node    admin.Node
	cluster admin.Cluster
	folders []admin.Folder
	asked   []string // requests that change something
	after   func()   // called after each question, with the lock
}

func (p *played) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var answer any
	switch r.URL.Path {
	case "/v1/node":
		answer = p.node
	case "/v1/hotfolders":
		answer = map[string]any{"hotfolders": p.folders}
	case "/v1/cluster":
		answer = p.cluster
	case "/v1/cache/clear":
		answer = map[string]any{"cleared": true, "index": "node-a.X:7"}
	case "/v1/hotfolders/inbox/pause", "/v1/hotfolders/inbox/resume":
		answer = map[string]any{"hotfolder": "inbox", "paused": strings.HasSuffix(r.URL.Path, "pause")}
	case "/v1/hotfolders/inbox/scan", "/v1/hotfolders/other/scan":
		answer = map[string]any{"scan": "asked for"}
	case "/v1/cluster/node-z/forget":
		answer = map[string]any{"forgotten": "node-z"}
	case "/v1/drain":
		answer, p.node.State = map[string]any{}, admin.Draining
		w.WriteHeader(http.StatusAccepted)
	default:
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"detail":"there is no such thing"}`)
		return
	}
	if r.Method != http.MethodGet {
		var body bytes.Buffer
		_, _ = body.ReadFrom(r.Body)
		p.asked = append(p.asked, r.Method+" "+r.URL.Path+" "+r.Header.Get("Authorization")+" "+strings.TrimSpace(body.String()))
	}
	_ = json.NewEncoder(w).Encode(answer)
	if p.after != nil {
		p.after()
	}
}

// ask runs one command against it.
func (p *played) ask(t *testing.T, args ...string) (code int, out, err string) {
	t.Helper()
	srv := httptest.NewServer(p)
	defer srv.Close()
	dir := t.TempDir()
	token := filepath.Join(dir, "token")
	settings := filepath.Join(dir, "hotfolderd.yaml")
	for file, text := range map[string]string{token: "0123456789abcdef\n", settings: "http: { token_file: token }\n"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var stdout, stderr bytes.Buffer
	a := &app{out: &stdout, err: &stderr}
	code = a.execute(t.Context(), append(args, "--config", settings, "--address", strings.TrimPrefix(srv.URL, "http://")))
	http.DefaultClient.CloseIdleConnections()
	return code, stdout.String(), stderr.String()
}

func wantLines(t *testing.T, got string, lines ...string) {
	t.Helper()
	for _, want := range lines {
		if !strings.Contains(got, want) {
			t.Errorf("want %q in\n%s", want, got)
		}
	}
}

func sampleCluster() admin.Cluster {
	return admin.Cluster{
		Node: "node-a", Main: "node-b", Isolation: "majority", Contact: true, Writable: true, Importing: true, Drift: []string{"node-b has other\nrules"},
		Members: []admin.Member{
			{ID: "node-a", Address: "10.0.0.1:8480", State: admin.Active, Roles: []string{"import", "web"}, Weight: 2, Priority: 50, Share: 1, Part: 0.75, Version: "1.2", Rules: strings.Repeat("ab", 32), RulesVersion: 4, Started: time.Now().Add(-time.Hour), Self: true},
			{ID: "node-b", State: admin.Recovering, Roles: []string{"import"}, Weight: 1, Priority: 100, Share: 0.25, Part: 0.0977, Version: "1.1", Rules: strings.Repeat("cd", 32), Waiting: 12, Lag: 90 * time.Second, Suspected: true},
		},
		Partitions:   []admin.Partition{{Name: "p/1", InHand: 3}, {Name: "p/2"}},
		Invalidation: admin.Invalidation{Fresh: true, Events: 1200, Clears: 1},
	}
}

func TestCluster_isATableForPeople(t *testing.T) {
	p := &played{cluster: sampleCluster()}
	code, out, _ := p.ask(t, "cluster")
	if code != exitDone {
		t.Errorf("want 0, got %d", code)
	}
	wantLines(t, out, "as node node-a sees it · main node node-b · isolation majority · Consul answers",
		"NODE      STATE                    ADDRESS        ROLES       WEIGHT  SHARE               PRIORITY  WAITING  OLDEST  RULES            VERSION  UP",
		"node-a *  active                   10.0.0.1:8480  import,web  2       75%                 50        0        -       v4 abababababab  1.2      1h0m0s",
		"node-b    recovering, not reached  -              import      1       10%, slowed to 25%  100       12       1m30s   cdcdcdcdcdcd     1.1      -",
		`warn: node-b has other\nrules`,
		"* node node-a holds 2 partitions and has 3 drops in hand; it follows the changes of the others, 1200 names and 1 time everything forgotten",
	)
	p.cluster.Writable, p.cluster.Why, p.cluster.Importing, p.cluster.ImportingWhy, p.cluster.Contact = false, "no majority", false, "read-only", false
	p.cluster.Main = ""
	_, out, _ = p.ask(t, "cluster")
	wantLines(t, out, "main node none is known", "Consul does not answer", "warn: node node-a is read-only: no majority", "warn: imports wait: read-only")
}

func TestCluster_asJSONIsWhatTheNodeAnswers(t *testing.T) {
	p := &played{cluster: sampleCluster()}
	_, out, _ := p.ask(t, "cluster", "--json")
	var got admin.Cluster
	if err := json.Unmarshal([]byte(out), &got); err != nil || len(got.Members) != 2 || got.Members[1].Lag != 90*time.Second {
		t.Errorf("got %+v, %v from %s", got, err, out)
	}
	wantLines(t, out, `"main": "node-b"`, `"rules_version": 4`, `"in_hand": 3`, `"lag": 90000000000`)
}

func TestCacheClear_tellsTheIndex(t *testing.T) {
	p := &played{}
	code, out, _ := p.ask(t, "cache", "clear")
	if want := "all nodes are told to forget what they cached (index node-a.X:7)\n"; code != exitDone || out != want {
		t.Errorf("want %q, got %d %q", want, code, out)
	}
	if _, out, _ = p.ask(t, "cache", "clear", "--json"); !strings.Contains(out, `"index": "node-a.X:7"`) {
		t.Errorf("want the index, got %s", out)
	}
	if want := "POST /v1/cache/clear Bearer 0123456789abcdef {}"; p.asked[0] != want {
		t.Errorf("want %q, got %q", want, p.asked[0])
	}
}

func TestCommands_thatTheRunningNodeIsAskedFor(t *testing.T) {
	for _, row := range []struct {
		args, out, json string
		asked           []string
	}{
		{"pause inbox", "hotfolder inbox is paused on all nodes\n", `"paused": true`, []string{"/v1/hotfolders/inbox/pause"}},
		{"resume inbox", "hotfolder inbox is resumed\n", `"paused": false`, []string{"/v1/hotfolders/inbox/resume"}},
		{"scan other", "all nodes look at hotfolder other\n", `"other"`, []string{"/v1/hotfolders/other/scan"}},
		{
			"scan", "all nodes look at hotfolder inbox\nall nodes look at hotfolder other\n", `"inbox"`,
			[]string{"/v1/hotfolders/inbox/scan", "/v1/hotfolders/other/scan"},
		},
		{"cluster forget node-z", "node node-z is not the main node any more\n", `"forgotten": "node-z"`, []string{"/v1/cluster/node-z/forget"}},
	} {
		p := &played{folders: []admin.Folder{{Name: "inbox"}, {Name: "other"}}}
		code, out, said := p.ask(t, strings.Fields(row.args)...)
		if code != exitDone || out != row.out {
			t.Errorf("%s: want %q, got %d %q %q", row.args, row.out, code, out, said)
		}
		for i, route := range row.asked {
			if want := "POST " + route + " Bearer 0123456789abcdef {}"; len(p.asked) != len(row.asked) || p.asked[i] != want {
				t.Errorf("%s: want %q asked, got %q", row.args, want, p.asked)
			}
		}
		if _, out, _ := p.ask(t, append(strings.Fields(row.args), "--json")...); !strings.Contains(out, row.json) {
			t.Errorf("%s --json: want %s, got %s", row.args, row.json, out)
		}
	}
	for _, args := range []string{"pause none", "scan none", "cluster forget none"} {
		if code, out, said := (&played{}).ask(t, strings.Fields(args)...); code != exitNotFound || out != "" || !strings.Contains(said, "there is no such thing") {
			t.Errorf("%s: want 3, got %d %q %q", args, code, out, said)
		}
	}
}

func TestDrain_waitsUntilTheNodeHasLeft(t *testing.T) {
	p := &played{node: admin.Node{ID: "node-a", State: admin.Active}, folders: []admin.Folder{{InFlight: 5}, {InFlight: 2}}, cluster: sampleCluster()}
	looks := 0
	p.after = func() {
		if p.node.State != admin.Draining {
			return
		}
		switch looks++; looks {
		case 7: // the drain itself and two looks of three questions
			p.folders, p.cluster.Partitions = []admin.Folder{{InFlight: 1}}, nil
		case 11: // two looks later
			p.node.State = admin.Left
		}
	}
	code, out, said := p.ask(t, "drain", "--deadline", "90s")
	if code != exitDone || !strings.HasPrefix(out, "node node-a has left after ") {
		t.Errorf("want it left, got %d %q", code, out)
	}
	wantLines(t, said, "node node-a is draining: waiting for 7 drops in hand and 2 partitions to be given back", "waiting for 1 drop in hand and 0 partitions")
	if n := strings.Count(said, "waiting for 7"); n != 1 {
		t.Errorf("want it said once what is waited for, got %d times", n)
	}
	if want := `POST /v1/drain Bearer 0123456789abcdef {"deadline":"1m30s"}`; len(p.asked) != 1 || p.asked[0] != want {
		t.Errorf("want %q, got %q", want, p.asked)
	}
}

func TestDrain_anotherStartMeansThatItHasLeft(t *testing.T) {
	for _, c := range []admin.Node{{ID: "node-a", Instance: "node-a.NEW"}, {ID: "node-a", Instance: "node-a.OLD", Started: time.Unix(1, 0)}, {ID: "other"}} {
		p := &played{node: admin.Node{ID: "node-a", Instance: "node-a.OLD"}}
		p.after = func() {
			if p.node.State == admin.Draining {
				p.node = c
			}
		}
		if code, out, said := p.ask(t, "drain", "--json"); code != exitDone || !strings.Contains(out, `"node": "node-a"`) {
			t.Errorf("%+v: want it left, got %d %q %q", c, code, out, said)
		}
	}
}

func TestDrain_aNodeThatIsGoneHasLeft(t *testing.T) {
	p := &played{node: admin.Node{ID: "node-a", State: admin.Active}}
	srv := httptest.NewServer(p)
	defer srv.Close()
	p.after = func() {
		if p.node.State == admin.Draining {
			go srv.Config.Close()
		}
	}
	var stdout, stderr bytes.Buffer
	a := &app{out: &stdout, err: &stderr}
	code := a.execute(t.Context(), []string{"drain", "--address", strings.TrimPrefix(srv.URL, "http://")})
	if code != exitDone || !strings.Contains(stdout.String(), "has left") {
		t.Errorf("want it left, got %d %q %q", code, stdout.String(), stderr.String())
	}
}

func TestDrain_aRefusalIsTold(t *testing.T) {
	p := http.NewServeMux()
	p.HandleFunc("GET /v1/node", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"id":"node-a"}`) })
	p.HandleFunc("POST /v1/drain", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotImplemented)
		fmt.Fprint(w, `{"detail":"this node does not offer draining"}`)
	})
	srv := httptest.NewServer(p)
	defer srv.Close()
	var stderr bytes.Buffer
	a := &app{out: &stderr, err: &stderr}
	if code := a.execute(t.Context(), []string{"drain", "--address", strings.TrimPrefix(srv.URL, "http://")}); code != exitFailed {
		t.Errorf("want 1, got %d", code)
	}
	wantLines(t, stderr.String(), "answers 501: this node does not offer draining")
}
