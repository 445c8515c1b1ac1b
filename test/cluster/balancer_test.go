package cluster_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hotfolderd/leases/consul/consultest"
	"hotfolderd/test/unpacked"
)

// TestFaults_oneRetryBehindABalancerCuresAll has clients write and read through a real haproxy with the configuration that the program prints, while
// nodes are killed, drained and come back.
func TestFaults_oneRetryBehindABalancerCuresAll(t *testing.T) {
	t.Parallel()
	w := newWorld(t, []string{consultest.Start(t).Addr}, 3)
	w.begin()
	w.awaitWhole(w.nodes...)
	lb := w.haproxy()
	stop := make(chan struct{})
	var load sync.WaitGroup
	clients := make([]*throughBalancer, 4)
	for n := range clients {
		clients[n] = &throughBalancer{w: w, lb: lb, name: fmt.Sprintf("balanced/%d.txt", n), cookies: n%2 == 0}
		load.Go(func() { clients[n].run(stop) })
	}
	t.Cleanup(load.Wait) // also when the test fails
	for n := range rounds(t, 1) {
		p := w.nodes[n%3]
		p.kill()
		lb.awaitUp(2)
		p.start()
		w.awaitWhole(w.nodes...)
		lb.awaitUp(3)
		q := w.nodes[(n+1)%3]
		if out, err := q.hotfolderd("drain", "--deadline", "20s"); err != nil {
			t.Errorf("drain: %v\n%s", err, out)
		}
		if err := q.wait(); err != nil {
			t.Errorf("%s: want an orderly end, got %v", q.id, err)
		}
		lb.awaitUp(2)
		q.start()
		w.awaitWhole(w.nodes...)
		lb.awaitUp(3)
	}
	close(stop)
	load.Wait()
	for _, c := range clients {
		t.Logf("%s: %d requests, %d tried again, %d failed, %d while Consul was slow", c.name, c.asked.Load(), c.again.Load(), c.failed.Load(), c.noise.Load())
		if c.asked.Load() < 10 || c.failed.Load() > 0 {
			t.Errorf("%s: %d of %d requests failed", c.name, c.failed.Load(), c.asked.Load())
		}
	}
}

// balancer is a haproxy that runs.
type balancer struct {
	t         testing.TB
	addr, ftp string
	stats     string // a socket that tells of the servers
	config    string
	log       *logged
}

// haproxy starts one before the nodes of this world.
func (w *world) haproxy(args ...string) *balancer {
	w.t.Helper()
	b := &balancer{t: w.t, addr: apart(w.t), ftp: apart(w.t), stats: filepath.Join(w.dir, "haproxy.sock"), config: filepath.Join(w.dir, "haproxy.cfg")}
	out, err := w.nodes[0].hotfolderd(append([]string{"lb-config", "haproxy", "--listen", b.addr, "--ftp-listen", b.ftp}, args...)...)
	if err != nil {
		w.t.Fatalf("lb-config: %v\n%s", err, out)
	}
	out = strings.Replace(out, "    maxconn 16000\n", "    maxconn 1000\n    log stdout format raw local0\n    stats socket "+b.stats+"\n", 1)
	write(w.t, b.config, out)
	cmd := unpacked.Command(w.t, "usr/sbin/haproxy", "-db", "-f", b.config)
	b.log = newLog(w.t, filepath.Join(w.dir, "haproxy.log"))
	cmd.Stdout, cmd.Stderr = b.log, b.log
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	b.awaitUp(len(w.nodes))
	return b
}

// apart is an address that no node has: the balancer listens on the nodes' own ports for their data connections.
func apart(t testing.TB) string {
	t.Helper()
	at, err := netip.ParseAddrPort(freeAddr(t))
	if err != nil {
		t.Fatal(err)
	}
	ip := at.Addr().As4()
	ip[1] -= 64
	return netip.AddrPortFrom(netip.AddrFrom4(ip), at.Port()).String()
}

// awaitUp waits until so many nodes are fit in haproxy's eyes.
func (b *balancer) awaitUp(want int) {
	b.t.Helper()
	within(b.t, time.Minute, fmt.Sprintf("%d nodes up for haproxy", want), func() bool { return b.up() == want }, b.log)
}

func (b *balancer) up() int {
	c, err := net.Dial("unix", b.stats)
	if err != nil {
		return -1
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	fmt.Fprintln(c, "show stat")
	text, err := io.ReadAll(c)
	if err != nil {
		return -1
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		f := strings.Split(line, ",")
		if len(f) > 17 && f[0] == "hotfolderd" && f[1] != "BACKEND" && f[1] != "FRONTEND" && strings.HasPrefix(f[17], "UP") {
			n++
		}
	}
	return n
}

// throughBalancer is a client of the balancer; what fails is tried once more.
type throughBalancer struct {
	w                           *world
	lb                          *balancer
	name                        string
	cookies                     bool
	cookie                      *http.Cookie
	asked, again, failed, noise atomic.Int64
}

// run writes, and reads that back, until stop.
func (c *throughBalancer) run(stop chan struct{}) {
	for n := 0; ; n++ {
		select {
		case <-stop:
			return
		case <-c.w.t.Context().Done():
			return
		default:
		}
		body := fmt.Sprint("version ", n)
		put, ok := c.ask(http.MethodPut, "", body, http.StatusCreated)
		if !ok {
			continue
		}
		if got, ok := c.ask(http.MethodGet, put.index, "", http.StatusOK); ok && got.body != body {
			c.failed.Add(1)
			c.w.t.Errorf("%s: want %s, got %v", c.name, body, got)
		}
	}
}

func (c *throughBalancer) ask(method, index, body string, want int) (got reply, ok bool) {
	c.asked.Add(1)
	var told []string
	for range 2 {
		got, err := c.once(method, index, body)
		if err == nil && got.status == want {
			return got, true
		}
		c.again.Add(1)
		told = append(told, fmt.Sprintf("%s: %v, %v", time.Now().Format("05.000"), got, err))
	}
	if strings.Contains(fmt.Sprint(told), "Consul does not answer") {
		c.noise.Add(1) // the machine was busy for more than 3 s
		return reply{}, false
	}
	c.failed.Add(1)
	c.w.t.Errorf("%s %s failed twice:\n%s\n%s", method, c.name, strings.Join(told, "\n"), c.lb.log.tail())
	return reply{}, false
}

func (c *throughBalancer) once(method, index, body string) (reply, error) {
	req, err := http.NewRequestWithContext(c.w.t.Context(), method, "http://"+c.lb.addr+"/v1/assets/"+c.name, strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	if index != "" {
		req.Header.Set("X-Hotfolder-Index", index)
	}
	if c.cookies && c.cookie != nil {
		req.AddCookie(c.cookie)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer res.Body.Close()
	for _, k := range res.Cookies() {
		if k.Name == "hotfolderd_route" {
			c.cookie = k
		}
	}
	text, err := io.ReadAll(res.Body)
	return reply{status: res.StatusCode, index: res.Header.Get("X-Hotfolder-Index"), body: string(text)}, err
}

// TestBalancer_ftpGoesThrough has files come by FTP through haproxy, control and data, to gates that are told whose they are.
func TestBalancer_ftpGoesThrough(t *testing.T) {
	t.Parallel()
	g := &gates{world: newWorld(t, []string{consultest.Start(t).Addr}, 0)}
	users := filepath.Join(g.dir, "users.yaml")
	write(t, users, fmt.Sprintf("users:\n  - name: %s\n    password_hash: %q\n    hotfolders: { /: inbox }\n", gateUser, hashed(t)))
	for i := range 2 {
		ports := fmt.Sprintf("%d-%d", 31000+100*i, 31019+100*i)
		g.at = append(g.at, freeAddr(t))
		g.add(string(rune('a'+i)), "", fmt.Sprintf("ftp: { listen: %q, users_file: %q, passive_ports: %q, proxies: [127.0.0.0/8] }\n", g.at[i], users, ports))
	}
	g.begin()
	g.awaitWhole(g.nodes...)
	lb := g.haproxy()
	file := filepath.Join(g.dir, "file.bin")
	data := bytes.Repeat([]byte("bytes that have no end of their own "), 100_000)
	if err := os.WriteFile(file, data, 0o666); err != nil {
		t.Fatal(err)
	}
	g.at = append(g.at, lb.ftp)
	for n := range 6 {
		if n == 3 {
			g.nodes[0].kill()
			lb.awaitUp(1)
		}
		name := fmt.Sprintf("%d.bin", n)
		out, err := g.curl(2, file, name, "--retry", "1", "--retry-all-errors", "--max-time", "60").CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s\n%s\n%s", err, out, lb.log.tail(), g)
		}
		within(t, time.Minute, name+" imported", func() bool { return !g.tree.has("hotfolders/inbox/" + name) }, g)
	}
	if l := g.ledger(); len(l) != 6 {
		t.Errorf("want 6 imports, got %+v", l)
	}
}
