package cluster_test

import (
	"context"
	"testing"
	"time"

	api "hotfolderd/client"
	"hotfolderd/leases/consul/consultest"
)

// TestFaults_aDropGoesOnAtAnotherNode: in the middle of 100 MB for a hotfolder the node that they are sent to is killed. They become one
// drop by another one, with all their bytes, and are imported once.
func TestFaults_aDropGoesOnAtAnotherNode(t *testing.T) {
	t.Parallel()
	w := newWorld(t, []string{consultest.Start(t).Addr}, 3)
	w.begin()
	w.awaitWhole(w.nodes...)
	c, at := w.using(t)
	data := newBig()
	came := make(chan error, 1)
	go func() {
		_, err := c.Drop(context.Background(), "inbox", "sub/big.bin", data, api.DropOptions{})
		came <- err
	}()
	<-data.half
	p := at()
	p.kill()
	close(data.goOn)
	select {
	case err := <-came:
		if err != nil {
			t.Fatalf("want it dropped, got %v\n%s", err, w)
		}
	case <-time.After(4 * time.Minute):
		t.Fatalf("the drop has no end\n%s", w)
	}
	const name = "inbox/sub/big.bin"
	within(t, 2*time.Minute, "it is imported", func() bool { return w.ledgerOf(name) == 1 && !w.tree.has("hotfolders/inbox/sub/big.bin") }, w)
	p.start()
	w.awaitWhole(w.nodes...)
	if i, err := c.Stat(t.Context(), name); err != nil || i.Number != 1 || i.Hash != bigHash() {
		t.Errorf("want one version with the right hash, got %+v, %v", i, err)
	}
	if n := w.ledgerOf(name); n != 1 {
		t.Errorf("want one record, got %d", n)
	}
}
