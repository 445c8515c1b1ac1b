package config

import (
	"reflect"
	"strings"
	"testing"
)

const consul = "consul: ['10.0.0.1:8500']"

func TestParseSettings_refusesImpossibleClusters(t *testing.T) {
	refuse(t, settings, []one{
		{"cluster: {tls: {cert: a.pem}}", "1:23: cluster.tls.cert: a certificate and its key belong together; set both cluster.tls.cert and cluster.tls.key, or none"},
		{"cluster: {tls: {key: a.pem}}", "1:22: cluster.tls.key: a certificate and its key belong together"},
		{"cluster: {tls: {server_name: 'https://x'}}", `1:30: cluster.tls.server_name: "https://x" is no host name; write the name`},
		{"cluster: {" + consul + ", tls: {ca: a.pem}}", "1:48: cluster.tls.ca: no address of cluster.consul begins with https://"},
		{"cluster: {" + consul + ", tls: {server_name: x}}", "cluster.tls.server_name: no address of cluster.consul begins with https://"},
		{"cluster: {advertise: 8480}", "expected text, got a number"},
		{"cluster: {advertise: node-a}", `"node-a" is no host:port; write the host:port at which`},
		{"cluster: {advertise: '0.0.0.0:8480'}", "is every address, which nobody can go to"},
		{"cluster: {advertise: ':8480'}", "is every address"},
		{"cluster: {advertise: '[::]:8480'}", "is every address"},
		{"cluster: {advertise: 'node-a:0'}", "has no port from 1 to 65535"},
		{"cluster: {advertise: 'node-a:65536'}", "has no port from 1 to 65535"},
		{"cluster: {advertise: 'node-a:http'}", "has no port from 1 to 65535"},
		{"cluster: {advertise: 'http://node-a:1'}", "is no host:port"},
		{"cluster: {advertise: 'a/b:1'}", `"a/b" is no host name or IP address`},
		{"cluster: {wait_for_nodes: 101}", "101 is out of range; from 0 to 100"},
		{"cluster: {wait_for_nodes: 3}", "1:27: cluster.wait_for_nodes: 3 nodes will never be there: without cluster.consul this node is alone; set cluster.consul"},
		{"cluster: {session_ttl: 400ms}", "400ms is out of range; from 500ms to 1h"},
		{"cluster: {session_ttl: 2h}", "is out of range; from 500ms to 1h"},
		{"cluster: {session_ttl: 10}", "has no unit"},
		{"cluster: {publish_rules: no}", `expected true or false, got "no"`},
		{"cluster: {token: hush}", "cluster.token: unknown key; known here: consul"},
		{"cluster: {" + consul + "}\nhttp: {listen: ':8480', token_file: t}", `2:16: http.listen: ":8480" is every address of this machine, so the other nodes do not know which one to use; set cluster.advertise`},
		{"cluster: {" + consul + "}\nhttp: {listen: '[::]:0', token_file: t}", "is every address of this machine"},
	})
}

func TestParseSettings_acceptsPossibleClusters(t *testing.T) {
	for _, text := range []string{
		"cluster: {" + consul + "}", "cluster: {" + consul + ", session_ttl: 500ms, wait_for_nodes: 3, publish_rules: false}",
		"cluster: {" + consul + "}\nhttp: {listen: '127.0.0.1:0'}", "cluster: {" + consul + "}\nhttp: {listen: 'node-a:8480', token_file: t}",
		"cluster: {" + consul + ", advertise: 'node-a:8480'}\nhttp: {listen: ':8480', token_file: t}",
		"cluster: {" + consul + ", advertise: '[fe80::1%eth0]:8480'}", "cluster: {wait_for_nodes: 1}", "cluster: {tls: {ca: a.pem, cert: c, key: k}}",
		"cluster: {consul: ['10.0.0.1:8500', 'https://consul'], tls: {ca: a, cert: c, key: k, server_name: server.dc1.consul}, token_file: t}",
		"http: {listen: ':8480', token_file: t}",
	} {
		if err := settings([]byte(text)); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestAdvertised_isWhereOthersReachTheNode(t *testing.T) {
	for _, c := range []struct{ listen, advertise, bound, want string }{
		{"127.0.0.1:8480", "", "", "127.0.0.1:8480"},
		{"127.0.0.1:0", "", "127.0.0.1:41234", "127.0.0.1:41234"},
		{"node-a:0", "", "10.0.0.1:41234", "node-a:41234"},
		{"[::1]:0", "", "[::1]:41234", "[::1]:41234"},
		{":8480", "10.0.0.1:80", "[::]:8480", "10.0.0.1:80"},
		{":8480", "", "[::]:8480", ""},
		{"0.0.0.0:8480", "", "", ""},
		{"nonsense", "", "", ""},
	} {
		s := Settings{HTTP: HTTP{Listen: c.listen}, Cluster: Cluster{Advertise: c.advertise}}
		got, err := s.Advertised(c.bound)
		if got != c.want || (err != nil) != (c.want == "") {
			t.Errorf("%s, bound to %q: want %q, got %q, %v", c.listen, c.bound, c.want, got, err)
		}
	}
}

func TestOddSettings_saysWhatIsRarelyMeant(t *testing.T) {
	const whole = "storage: {url: /srv/store}\nnode: {priority: 60}\nhttp: {listen: 'node-a:80', token_file: t}\n"
	for _, c := range []one{
		{"{}", ""},
		{"http: {listen: '127.0.0.1:1'}", ""},
		{whole + "cluster: {" + consul + "}", ""},
		{whole + "cluster: {" + consul + ", isolation: static, token_file: t, session_ttl: 5s, node: 1}", ""}, // a fault comes first
		{"cluster: {" + consul + ", advertise: 'node-a:80'}", `o.yaml:1:19: cluster.consul: the store is the folder ./data of this machine; all nodes of a cluster need the same store`},
		{"storage: {url: /srv}\ncluster: {" + consul + "}", `o.yaml:2:19: cluster.consul: "127.0.0.1:8480" is reached from this machine only; fine as long as all nodes run here`},
		{whole + "cluster: {" + consul + ", advertise: 'localhost:8480'}", `4:49: cluster.advertise: "localhost:8480" is reached from this machine only`},
		{whole + "cluster: {" + consul + ", session_ttl: 5s}", "cluster.session_ttl: 5s is shorter than Consul allows; fine when its servers have a session_ttl_min of that or less; else write at least 10s"},
		{whole + "cluster: {" + consul + ", token_file: t}", `cluster.token_file: the token goes to "10.0.0.1:8500" unencrypted`},
		{whole + "cluster: {consul: ['http://consul/'], token_file: t}", `the token goes to "http://consul/" unencrypted`},
		{whole + "cluster: {consul: ['localhost', 'https://consul', '::1', '[::1]:8500', 'http://127.0.0.1/'], token_file: t}", ""},
		{"storage: {url: /srv}\ncluster: {" + consul + ", advertise: 'node-a:80', isolation: static}", "cluster.isolation: which node is the main one depends on node.priority, which is not set"},
		{whole + "cluster: {" + consul + ", isolation: dynamic}", ""},
	} {
		var lines []string
		for _, e := range OddSettings("o.yaml", []byte(c.text)) {
			lines = append(lines, e.Error())
		}
		if c.want == "" && len(lines) > 0 || c.want != "" && (len(lines) != 1 || !strings.Contains(lines[0], c.want)) {
			t.Errorf("%s\nwant %q\ngot\n%s", c.text, c.want, strings.Join(lines, "\n"))
		}
	}
}

func TestParseRule_pinsToNodes(t *testing.T) {
	r, err := ParseRule("", []byte("hotfolder: x\nrun_on: [node-a, b.c]\nprefer: [b.c]"))
	if err != nil || !reflect.DeepEqual(r.RunOn, []string{"node-a", "b.c"}) || !reflect.DeepEqual(r.Prefer, []string{"b.c"}) {
		t.Errorf("want the nodes, got %q, %q, %v", r.RunOn, r.Prefer, err)
	}
	if _, err := ParseRule("", []byte("hotfolder: x\nprefer: [node-a]")); err != nil {
		t.Errorf("want any node preferred where all may run it, got %v", err)
	}
	x := "hotfolder: x\n"
	refuse(t, rule, []one{
		{x + "run_on: node-a", `expected a list, got text; write ["node-a"]`},
		{x + "run_on: ['no spaces']", `run_on[0]: "no spaces" cannot be used; must be 1 to 20 of`},
		{x + "run_on: ['']", "cannot be used"},
		{x + "run_on: [a, a]", "is in the list twice"},
		{x + "prefer: [this-is-far-too-long-for-an-id]", "must be 1 to 20 of"},
		{x + "run_on: [a]\nprefer: [a, b]", `3:9: prefer: "b" is not in run_on, so it can never be preferred; add it to run_on, or take it away here`},
	})
}

// Nodes that would treat a job or a rest of an upload in different ways differ.
func TestCommon_tellsWhatOneNodeDoesForAll(t *testing.T) {
	for name, change := range map[string]func(*Settings){
		"workarea.jobs.ttl":       func(s *Settings) { s.Workarea.Jobs.TTL++ },
		"workarea.jobs.max_ttl":   func(s *Settings) { s.Workarea.Jobs.MaxTTL++ },
		"workarea.jobs.quota":     func(s *Settings) { s.Workarea.Jobs.Quota++ },
		"workarea.jobs.max_quota": func(s *Settings) { s.Workarea.Jobs.MaxQuota++ },
		"workarea.jobs.total":     func(s *Settings) { s.Workarea.Jobs.Total++ },
		"workarea.watch":          func(s *Settings) { s.Workarea.Watch = []string{"in"} },
		"http.resume_ttl":         func(s *Settings) { s.HTTP.ResumeTTL++ },
		"thumbnails.cache_size":   func(s *Settings) { s.Thumbnails.CacheSize++ },
		"thumbnails.cache_age":    func(s *Settings) { s.Thumbnails.CacheAge++ },
	} {
		own, most := Default(), Default()
		change(&own)
		for key, value := range own.Common() {
			if differs := value != most.Common()[key]; differs != (key == name) {
				t.Errorf("%s changed: %s differs: %v", name, key, differs)
			}
		}
	}
}
