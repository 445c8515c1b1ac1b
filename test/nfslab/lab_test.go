//go:build nfslab

package nfslab_test

import (
	"fmt"
	"testing"

	"hotfolderd/test/nfslab"
	"hotfolderd/test/nfslab/guest"
)

// TestLab_clientsShareWhatTheServerServes writes by one client and reads by the other, by each version of NFS.
func TestLab_clientsShareWhatTheServerServes(t *testing.T) {
	l := nfslab.Start(t, 2, 256)
	for _, version := range []string{"3", "4.1", "4.2"} {
		at := "/mnt/" + version
		for _, c := range l.Clients {
			l.Mount(c, at, version, "")
		}
		path := fmt.Sprintf("%s/by-%s", at, version)
		l.Clients[0].Call("Put", guest.Put{Path: path, Beside: path + ".part", Data: []byte("whole")}, &guest.None{})
		var c guest.Content
		l.Clients[1].Call("Read", path, &c)
		if string(c.Data) != "whole" {
			t.Errorf("by NFS %s: want what the other client wrote, got %q", version, c.Data)
		}
	}
}
