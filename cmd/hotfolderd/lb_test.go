package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hotfolderd/admin"
	"hotfolderd/test/unpacked"
)

// balancedCluster has two nodes with gates, one without, and one that takes no requests.
func balancedCluster() admin.Cluster {
	gate := func(host, ports string) *admin.Gate {
		return &admin.Gate{Address: host + ":2121", AddressTLS: host + ":2990", Ports: ports, Proxies: []string{"10.0.0.100"}}
	}
	return admin.Cluster{Node: "node-a", Members: []admin.Member{
		{ID: "node-b", Address: "127.0.0.2:8480", State: admin.Active, Roles: []string{"import", "ftp", "web"}, Weight: 3, Share: 1, Gate: gate("127.0.0.2", "31000-31009")},
		{ID: "node-a", Address: "127.0.0.1:8480", State: admin.Draining, Roles: []string{"ftp", "web"}, Weight: 1, Share: 1, Gate: gate("127.0.0.1", "30000-30009")},
		{ID: "node-c", Address: "[::1]:8480", State: admin.ReadOnly, Roles: []string{"web"}, Weight: 1, Share: 1},
		{ID: "node-d", Address: "127.0.0.4:8480", State: admin.Active, Roles: []string{"import"}, Weight: 1, Share: 1},
	}}
}

// TestBalancer_haproxyTakesIt as it is printed.
func TestBalancer_haproxyTakesIt(t *testing.T) {
	for _, c := range []admin.Cluster{balancedCluster(), withoutGates()} {
		code, out, _ := askRemote(t, &played{cluster: c}, "lb-config", "haproxy", "--listen", "127.0.0.1:8080", "--ftp-listen", "127.0.0.1:2100")
		file := filepath.Join(t.TempDir(), "haproxy.cfg")
		if err := os.WriteFile(file, []byte(out), 0o600); err != nil || code != exitDone {
			t.Fatal(code, err)
		}
		if said, err := unpacked.Command(t, "usr/sbin/haproxy", "-c", "-f", file).CombinedOutput(); err != nil || strings.Contains(string(said), "WARNING") {
			t.Errorf("%v\n%s\n%s", err, said, out)
		}
	}
}

// TestBalancer_nginxTakesIt with its module for streams.
func TestBalancer_nginxTakesIt(t *testing.T) {
	for _, c := range []admin.Cluster{balancedCluster(), withoutGates()} {
		_, out, _ := askRemote(t, &played{cluster: c}, "lb-config", "nginx", "--listen", "127.0.0.1:8080", "--ftp-listen", "127.0.0.1:2100", "--ftps-listen", "127.0.0.1:2199")
		dir := t.TempDir()
		file := filepath.Join(dir, "nginx.conf")
		modules, err := filepath.Abs("../../bin/balancers/usr/lib/nginx/modules/ngx_stream_module.so")
		if err != nil {
			t.Fatal(err)
		}
		more := fmt.Sprintf("load_module %s;\npid %s/pid;\nerror_log stderr;\n", modules, dir)
		out = more + strings.Replace(out, "http {\n", "http {\naccess_log off; client_body_temp_path "+dir+"; proxy_temp_path "+dir+"; fastcgi_temp_path "+dir+
			"; uwsgi_temp_path "+dir+"; scgi_temp_path "+dir+";\n", 1)
		if err := os.WriteFile(file, []byte(out), 0o600); err != nil {
			t.Fatal(err)
		}
		said, err := unpacked.Command(t, "usr/sbin/nginx", "-t", "-p", dir, "-c", file).CombinedOutput()
		if err != nil || strings.Contains(string(said), "[warn]") {
			t.Errorf("%v\n%s\n%s", err, said, out)
		}
	}
}

func withoutGates() admin.Cluster {
	c := balancedCluster()
	for i := range c.Members {
		c.Members[i].Gate = nil
	}
	return c
}

func TestBalancer_whatItSays(t *testing.T) {
	code, out, said := askRemote(t, &played{cluster: balancedCluster()}, "lb-config", "haproxy")
	if code != exitDone {
		t.Fatal(said)
	}
	wantLines(t, out,
		"    server node-a 127.0.0.1:8480 cookie node-a weight 1\n    server node-b 127.0.0.2:8480 cookie node-b weight 3\n    server node-c [::1]:8480",
		"# note: node node-d is left out: it has not the role web", "    bind :31000-31009\n", "    server node-b 127.0.0.2 send-proxy-v2\n",
		"listen hotfolderd_ftps\n", "systemctl reload haproxy")
	wantLines(t, said, "note: node node-d is left out")
	c := balancedCluster()
	c.Members[1].Gate.Ports = "31005-31006"
	_, out, said = askRemote(t, &played{cluster: c}, "lb-config", "nginx")
	wantLines(t, said, "note: FTP is left out: nodes node-a and node-b have the same ftp.passive_ports")
	if strings.Contains(out, "stream {") || !strings.Contains(out, "server 127.0.0.2:8480 weight=3 ") {
		t.Errorf("want HTTP alone, got\n%s", out)
	}
	c.Members[1].Gate = nil
	c.Members[0].Gate.Proxies = nil
	_, out, said = askRemote(t, &played{cluster: c}, "lb-config", "haproxy")
	wantLines(t, said, "some gates have no ftp.proxies")
	if strings.Contains(out, "send-proxy") {
		t.Errorf("want no PROXY protocol to a gate that does not believe it, got\n%s", out)
	}
}

// TestBalancer_aMemberCannotWriteTheConfiguration by what it says of itself.
func TestBalancer_aMemberCannotWriteTheConfiguration(t *testing.T) {
	c := balancedCluster()
	c.Members[0].ID = "x\n    server evil 10.9.9.9:80"
	c.Members[1].Address = "evil host:80"
	c.Members[3].Roles = []string{"web"}
	c.Members[2].Gate = &admin.Gate{Address: "a;b:21", Ports: "1-2"}
	for _, kind := range []string{"haproxy", "nginx"} {
		_, out, _ := askRemote(t, &played{cluster: c}, "lb-config", kind)
		for line := range strings.Lines(out) {
			if at := strings.TrimSpace(line); strings.Contains(at, "evil") && !strings.HasPrefix(at, "#") || strings.Contains(at, "a;b") {
				t.Errorf("%s: got %q", kind, line)
			}
		}
	}
	for _, bad := range []string{"", "80", "host", "a b:80", "host:0", "x;y:80"} {
		if code, _, _ := askRemote(t, &played{cluster: balancedCluster()}, "lb-config", "haproxy", "--ftp-listen", bad); code != exitUsage {
			t.Errorf("--ftp-listen %q: want it refused, got %d", bad, code)
		}
	}
	if code, _, _ := askRemote(t, &played{}, "lb-config", "varnish"); code != exitUsage {
		t.Errorf("want 2 for a program that there is no template for, got %d", code)
	}
}
