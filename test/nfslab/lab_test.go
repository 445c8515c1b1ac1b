//go:build nfslab

package nfslab_test

import (
	"fmt"
	"testing"
	"time"

	"hotfolderd/test/nfslab"
	"hotfolderd/test/nfslab/guest"
)

// TestLab_aGuestThatIsStoppedDoesNothing asks one that stands still.
func TestLab_aGuestThatIsStoppedDoesNothing(t *testing.T) {
	l := nfslab.Start(t, 0, 64)
	l.Server.Stop()
	answered := make(chan error, 1)
	go func() { answered <- l.Server.Try("Ping", guest.None{}, &guest.None{}) }()
	select {
	case err := <-answered:
		t.Errorf("want no answer while it stands still, got one (%v)", err)
	case <-time.After(3 * time.Second):
	}
	l.Server.Continue()
	if err := <-answered; err != nil {
		t.Errorf("want the answer when it goes on, got %v", err)
	}
}

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
