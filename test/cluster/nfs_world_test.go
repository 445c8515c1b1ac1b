//go:build nfslab

package cluster_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"hotfolderd/leases/consul/consultest"
	"hotfolderd/test/nfslab"
	"hotfolderd/test/nfslab/guest"
)

// nfsTree is a store on NFS as one client of it sees it.
type nfsTree struct {
	t    testing.TB
	l    *nfslab.Lab
	g    *nfslab.Guest
	root string
}

func (n nfsTree) at(path string) string { return filepath.Join(n.root, path) }

func (n nfsTree) url() string  { return "file://" + n.root }
func (n nfsTree) more() string { return "" }

func (n nfsTree) put(path, text string) guest.Put {
	return guest.Put{Path: n.at(path), Beside: n.root + "-incoming-" + filepath.Base(path), Data: []byte(text)}
}

func (n nfsTree) add(path, text string) error {
	return n.g.Try("Put", n.put(path, text), &guest.None{})
}

// replace is not known for certain on NFS, where two names cannot be exchanged.
func (n nfsTree) replace(string, string, string) (bool, error) {
	return false, fmt.Errorf("replacing on NFS: %w", syscall.EINVAL)
}

func (n nfsTree) has(path string) (has bool) {
	if err := n.g.Try("Has", n.at(path), &has); err != nil {
		return true // nobody knows
	}
	return has
}

func (n nfsTree) list(folder string) (all []string) {
	var found []string
	if err := n.g.Try("List", n.at(folder), &found); err != nil {
		n.t.Errorf("list %s: %v", folder, err)
	}
	for _, path := range found {
		all = append(all, strings.TrimPrefix(path, n.root+"/"))
	}
	return all
}

func (n nfsTree) read(path string) ([]byte, time.Time, error) {
	var c guest.Content
	err := n.g.Try("Read", n.at(path), &c)
	return c.Data, time.Unix(0, c.Changed), err
}

// inGuest is a process there.
type inGuest struct {
	g   *nfslab.Guest
	pid int
}

func (p inGuest) signal(sig syscall.Signal) error {
	return p.g.Try("Signal", guest.Signal{PID: p.pid, Signal: int(sig)}, &guest.None{})
}

func (p inGuest) wait() error {
	var how string
	if err := p.g.Try("Wait", p.pid, &how); err != nil || how == "" {
		return err
	}
	return fmt.Errorf("in guest %s: %s", p.g.Name, how)
}

func (p *process) startIn(g *nfslab.Guest, argv, env []string) (running, error) {
	r := inGuest{g: g}
	err := g.Try("Start", guest.Command{Argv: argv, Env: env, Dir: p.home, Log: p.log.file.Name()}, &r.pid)
	return r, err
}

// nfsWorld is a world whose store lies on the lab's export, mounted by that version of NFS. The last client drops, and looks.
func nfsWorld(t testing.TB, l *nfslab.Lab, version string) *world {
	t.Helper()
	return nfsWorldAt(t, l, version, version)
}

// nfsWorldAt has a name of its own, where several are mounted by one version.
func nfsWorldAt(t testing.TB, l *nfslab.Lab, version, name string) *world {
	t.Helper()
	mount := "/mnt/" + name
	for _, c := range l.Clients {
		l.Mount(c, mount, version, "")
	}
	last := l.Clients[len(l.Clients)-1]
	root := filepath.Join(mount, "store-"+name)
	last.Call("MakeDir", root+"/hotfolders/inbox", &guest.None{})
	w := worldOn(t, filepath.Join(l.Dir, name), nil, nfsTree{t, l, last, root}, nil)
	w.once = true
	return w
}

// addIn makes one more node, on a client of the lab.
func (w *world) addIn(g *nfslab.Guest, more ...string) *process {
	w.t.Helper()
	p := w.add(g.Name, "", more...)
	p.token = strings.Repeat("token", 8)
	p.startThere = func(argv, env []string) (running, error) { return p.startIn(g, argv, env) }
	write(w.t, p.home+"/token", p.token)
	b, err := os.ReadFile(p.settings)
	if err != nil {
		w.t.Fatal(err)
	}
	listen := fmt.Sprintf("listen: %q, token_file: %q", "0.0.0.0:8480", p.home+"/token")
	settings := strings.Replace(string(b), fmt.Sprintf("listen: %q", p.addr), listen, 1)
	p.addr = g.IP + ":8480"
	write(w.t, p.settings, strings.Replace(settings, "  namespace:", fmt.Sprintf("  advertise: %q\n  namespace:", p.addr), 1))
	return p
}

// nfsNodes is a world with a Consul and a node on each client but the last, which drops.
func nfsNodes(t *testing.T, l *nfslab.Lab, version string, more ...string) *world {
	t.Helper()
	w := nfsWorld(t, l, version)
	w.consul = []string{l.Relay(consultest.Start(t).Addr)}
	for _, c := range l.Clients[:len(l.Clients)-1] {
		w.addIn(c, more...)
	}
	return w
}

// longLease makes leases that last where a whole machine is a process among many, and may stand still for seconds.
const longLease = "  session_ttl: 30s\n"

// beginInGuests is begin where a program is read into a machine that has just started.
func (w *world) beginInGuests() {
	w.t.Helper()
	for _, p := range w.nodes {
		p.start()
	}
	for _, p := range w.nodes {
		within(w.t, patience, p.id+" is ready", p.ready, p.log)
	}
}
