//go:build nfslab

package cluster_test

import (
	"testing"
	"time"

	"hotfolderd/test/nfslab"
)

// TestNFS_dropsOfOneClientAreImportedByOthers has the main job done by two nodes that are clients of one NFS server, with drops by a
// third, by each version of NFS.
func TestNFS_dropsOfOneClientAreImportedByOthers(t *testing.T) {
	t.Parallel()
	l := nfslab.Start(t, 3, 1024)
	for _, version := range []string{"3", "4.1", "4.2"} {
		t.Run(version, func(t *testing.T) {
			w := nfsNodes(t, l, version, longLease)
			w.beginInGuests()
			d := w.drops()
			d.some(40)
			d.awaitTaken(patience)
			d.audit(t)
			for _, p := range w.nodes {
				within(t, time.Minute, p.id+" looks", func() bool { return p.log.has("looking at folders: on nfs other machines write unseen") }, w)
			}
			for _, p := range w.nodes {
				p.stop()
			}
		})
	}
}
