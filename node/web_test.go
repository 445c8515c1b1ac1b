package node

import (
	"net"
	"testing"

	"hotfolderd/config"
)

func TestClose_aNodeThatNeverRanGivesItsPortBack(t *testing.T) {
	o := options(t, t.TempDir(), rule("inbox"))
	o.Settings.Node.Roles = []string{config.RoleWeb}
	o.Settings.HTTP.Listen = "127.0.0.1:0"
	n, err := New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", n.Addr())
	if err != nil {
		t.Fatalf("the port is still taken: %v", err)
	}
	_ = ln.Close()
}
