package cluster_test

import (
	"testing"

	"hotfolderd/leases/consul/consultest"
	"hotfolderd/storage/s3/s3test"
)

// The tests of a cluster on a shared folder again, on a bucket of each server.

func TestChaos_inABucketKilledNodesLoseNothing(t *testing.T) {
	onBuckets(t, func(t *testing.T, w *world) {
		w.three(t)
		w.killed(t, 3, 30)
	})
}

func TestChaos_inABucketKilledNodesAndNamesDroppedAgain(t *testing.T) {
	t.Parallel()
	w := bucketWorld(t, s3test.MinIO(t))
	w.three(t)
	w.killedAgain(t, 3, 30)
}

func TestChaos_inABucketPausedNodesDoNoHarm(t *testing.T) {
	onBuckets(t, func(t *testing.T, w *world) {
		w.three(t, shortLease)
		w.stopped(t, 2)
	})
}

func TestFaults_inABucketACutOffNodeStopsBeforeOthers(t *testing.T) {
	onBuckets(t, func(t *testing.T, w *world) { w.cutOff(t) })
}

func TestFaults_inABucketTheLossOfConsulsLeaderLosesNothing(t *testing.T) {
	onBuckets(t, func(t *testing.T, w *world) { w.leaderless(t) })
}

// three adds three nodes with a Consul of their own.
func (w *world) three(t *testing.T, more ...string) {
	t.Helper()
	w.consul = []string{consultest.Start(t).Addr}
	for _, id := range []string{"a", "b", "c"} {
		w.add(id, "", more...)
	}
}
