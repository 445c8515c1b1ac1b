package nfslab

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"hotfolderd/test/nfslab/guest"
)

// Kernel is user-mode Linux, Modules are its modules, as Debian has them.
const (
	Kernel  = "/usr/bin/linux.uml"
	Modules = "/usr/lib/uml/modules"
)

// needed are the programs without which there is no lab, with the packages that they are in.
var needed = map[string]string{
	Kernel: "user-mode-linux", "/usr/sbin/rpc.nfsd": "nfs-kernel-server", "/sbin/rpcbind": "rpcbind", "/sbin/mkfs.ext4": "e2fsprogs", "/sbin/ip": "iproute2",
}

// Lab is one server and its clients, all in one network.
type Lab struct {
	// Dir is seen by all guests under the same path, and may be written by them.
	Dir string
	// Server serves [guest.Export].
	Server *Guest
	// Clients have mounted nothing yet.
	Clients []*Guest

	t       testing.TB
	net     *network
	init    string // the program that is first in each guest
	modules string
}

// Start starts a server with an export of so many MiB and so many clients, side by side. They end with the test.
func Start(t testing.TB, clients, sizeMiB int) *Lab {
	t.Helper()
	need(t)
	l := &Lab{t: t, Dir: sharedFolder(t)}
	l.net = newNetwork(t)
	l.build()
	l.Server = l.guest("server", 10, "ubda="+l.disk(sizeMiB), guest.EnvServer+"=yes")
	for i := range clients {
		l.Clients = append(l.Clients, l.guest(string(rune('a'+i)), 11+i))
	}
	var all sync.WaitGroup
	for _, g := range append([]*Guest{l.Server}, l.Clients...) {
		g.start()
		all.Go(g.await)
	}
	all.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return l
}

func need(t testing.TB) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Fatal("the lab with NFS needs root, for its network and its guests")
	}
	var missing []string
	for path, pkg := range needed {
		if _, err := os.Stat(path); err != nil {
			missing = append(missing, pkg)
		}
	}
	if len(missing) > 0 {
		t.Fatalf("the lab with NFS needs more packages; run make tools, or apt-get install %s", strings.Join(missing, " "))
	}
}

// sharedFolder is not below the test's own folder, whose path may be too long for the kernel's command line.
func sharedFolder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "nfslab-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() && os.Getenv("HOTFOLDERD_CHAOS_KEEP") != "" {
			t.Logf("the lab's folder is kept: %s", dir)
			return
		}
		os.RemoveAll(dir)
	})
	return dir
}

// build builds the program that is first in each guest.
func (l *Lab) build() {
	l.t.Helper()
	l.init = filepath.Join(l.Dir, "nfsguest")
	cmd := exec.Command("go", "build", "-o", l.init, "hotfolderd/test/nfslab/nfsguest")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	l.must(cmd)
	found, err := filepath.Glob(filepath.Join(Modules, "*", "modules.dep"))
	if err != nil || len(found) == 0 {
		l.t.Fatalf("no modules below %s: %v", Modules, err)
	}
	l.modules = filepath.Dir(found[0])
}

// disk is an ext4 in a file, which takes no more room than is used of it.
func (l *Lab) disk(sizeMiB int) string {
	l.t.Helper()
	path := filepath.Join(l.Dir, "export.img")
	f, err := os.Create(path)
	if err == nil {
		err = f.Truncate(int64(sizeMiB) << 20)
		f.Close()
	}
	if err != nil {
		l.t.Fatal(err)
	}
	l.must(exec.Command("/sbin/mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=1,lazy_journal_init=1", path))
	return path
}

func (l *Lab) must(cmd *exec.Cmd) {
	l.t.Helper()
	if out, err := cmd.CombinedOutput(); err != nil {
		l.t.Fatalf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, out)
	}
}

// Mount mounts the export on a client by NFS "3", "4.1" or "4.2", with options beside those that are needed, which are "" by default.
func (l *Lab) Mount(g *Guest, target, version, options string) {
	l.t.Helper()
	if err := g.call("Mount", l.mount(g, target, version, options), &guest.None{}); err != nil {
		l.t.Fatalf("mount %s by NFS %s on %s: %v", target, version, g.Name, err)
	}
}

func (l *Lab) mount(g *Guest, target, version, options string) guest.Mount {
	m := guest.Mount{Source: l.Server.IP + ":/", Target: target, Type: "nfs4"}
	all := []string{"vers=" + version, "proto=tcp", "addr=" + l.Server.IP}
	if version == "3" {
		m.Source, m.Type = l.Server.IP+":"+guest.Export, "nfs"
		all = append(all, "mountaddr="+l.Server.IP, "mountport=20048", "mountproto=tcp")
	} else {
		all = append(all, "clientaddr="+g.IP)
	}
	if options != "" {
		all = append(all, options)
	}
	m.Options = strings.Join(all, ",")
	return m
}

// Near is the address of this machine in the guests' network.
func (l *Lab) Near() string { return l.net.near }

// Relay is an address in the guests' network behind which an address of this machine is.
func (l *Lab) Relay(to string) string {
	l.t.Helper()
	return Relay(l.t, l.net.near, to)
}

func (l *Lab) String() string { return fmt.Sprintf("lab with %d clients in %s", len(l.Clients), l.Dir) }
