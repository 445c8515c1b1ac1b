package nfslab

import (
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"hotfolderd/test/netns"
	"hotfolderd/test/nfslab/guest"
)

// network is a namespace with a bridge in it, to which this machine and the guests are tied.
type network struct {
	*netns.Space
	t    testing.TB
	part string // of all addresses
	near string // this machine's address
}

func newNetwork(t testing.TB) *network {
	t.Helper()
	n := &network{Space: netns.New(t, fmt.Sprintf("nfs%d", os.Getpid())), t: t, part: freePart(t)}
	n.near = n.part + "1"
	n.inside("ip", "link", "add", "br0", "type", "bridge")
	n.inside("ip", "link", "set", "br0", "up")
	n.Run("ip", "link", "add", n.Name, "type", "veth", "peer", "name", "near", "netns", n.Name)
	t.Cleanup(func() { n.Run("ip", "link", "del", n.Name) }) // with the namespace it would go some time later, in the next lab's way
	n.Run("ip", "addr", "add", n.near+"/24", "dev", n.Name)
	n.Run("ip", "link", "set", n.Name, "up", "gso_max_segs", guest.OneSegment)
	n.inside("ip", "link", "set", "near", "master", "br0", "up")
	return n
}

// freePart is the beginning of addresses that no other lab on this machine has.
func freePart(t testing.TB) string {
	t.Helper()
	taken, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for i := range 256 {
		part := fmt.Sprintf("198.19.%d.", (os.Getpid()+i)&0xff)
		if !slices.ContainsFunc(taken, func(a net.Addr) bool { return strings.HasPrefix(a.String(), part) }) {
			return part
		}
	}
	t.Fatal("256 labs are running")
	return ""
}

func (n *network) inside(argv ...string) {
	n.t.Helper()
	n.Run(n.Inside(argv...)...)
}

// tap makes the wire of a guest.
func (n *network) tap(name string) {
	n.t.Helper()
	n.inside("ip", "tuntap", "add", name, "mode", "tap")
	n.inside("ip", "link", "set", name, "master", "br0", "up")
}

// Relay is an address on an IP of this machine behind which another address of it is, until the test ends.
func Relay(t testing.TB, ip, to string) string {
	t.Helper()
	in, err := net.Listen("tcp", ip+":0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close() })
	go func() {
		for {
			near, err := in.Accept()
			if err != nil {
				return
			}
			go join(near, to)
		}
	}()
	return in.Addr().String()
}

// join copies both ways until either side ends.
func join(near net.Conn, to string) {
	defer near.Close()
	far, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer far.Close()
	var both sync.WaitGroup
	both.Go(func() { _, _ = io.Copy(far, near); far.Close() })
	both.Go(func() { _, _ = io.Copy(near, far); near.Close() })
	both.Wait()
}
