package cluster_test

import (
	"syscall"
	"testing"
	"time"

	"hotfolderd/leases/consul/consultest"
	"hotfolderd/storage/s3/s3test"
)

// TestAlone_ofTwoMachinesOnABucketOneWorks has nodes that are alone, each with a memory of its own as on a machine of its own, and one
// of a cluster. No lock could keep them apart.
func TestAlone_ofTwoMachinesOnABucketOneWorks(t *testing.T) {
	t.Parallel()
	w := bucketWorld(t, s3test.MinIO(t))
	a, b := w.add("a", ""), w.add("b", "")
	w.consul = []string{consultest.Start(t).Addr}
	c := w.add("c", "")
	a.start()
	a.awaitReady()
	d, stop := w.drops(), make(chan struct{})
	ended := d.stream(5, stop)
	says(t, b.refused(1), `node "a"`, "alone", "cluster.consul")
	says(t, c.refused(1), `node "a"`, "alone")

	a.kill() // its machine knows that it is dead
	a.start()
	within(t, 20*time.Second, "a works again", a.ready, a.log)

	a.signal(syscall.SIGSTOP)
	b.start() // it gets no answer
	within(t, 2*time.Minute, "b works in its place", b.ready, b.log)
	a.signal(syscall.SIGCONT)
	gone := make(chan error, 1)
	go func() { gone <- a.wait() }()
	select {
	case err := <-gone:
		if err == nil {
			t.Error("a was replaced, and calls that an orderly end")
		}
		says(t, a.log.String(), `node "b"`, "took this bucket")
	case <-time.After(time.Minute):
		t.Fatalf("a goes on beside b\n%v", w)
	}

	b.stop() // it gives the bucket back
	begin := time.Now()
	c.start()
	c.awaitReady()
	t.Logf("the cluster's node was ready after %v", time.Since(begin).Round(time.Millisecond))
	says(t, b.refused(exitSettings), "belongs to another cluster", "cluster.consul")
	close(stop)
	<-ended
	d.awaitTaken(2 * time.Minute)
	d.audit(t)
}
