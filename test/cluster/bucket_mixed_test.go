package cluster_test

import (
	"testing"

	"hotfolderd/storage/s3/s3test"
)

// mixedWorlds are worlds whose hotfolder lies in another store than their work area. No risk is accepted: a bucket without versions holds
// no drops.
var mixedWorlds = map[string]func(t *testing.T) *world{
	"folder to minio": func(t *testing.T) *world {
		dir := folder(t)
		return worldOn(t, dir, nil, plainBucket(t, s3test.MinIO(t)), folderTreeIn(t, dir, "share"))
	},
	"folder to versitygw": func(t *testing.T) *world {
		dir := folder(t)
		return worldOn(t, dir, nil, plainBucket(t, s3test.VersityGW(t)), folderTreeIn(t, dir, "share"))
	},
	"minio to folder": func(t *testing.T) *world {
		dir := folder(t)
		return worldOn(t, dir, nil, folderTreeIn(t, dir, "store"), newBucketTree(t, s3test.MinIO(t), "drops"))
	},
	"minio to minio": func(t *testing.T) *world {
		s := s3test.MinIO(t)
		return worldOn(t, folder(t), nil, plainBucket(t, s), newBucketTree(t, s, ""))
	},
	"minio to versitygw": func(t *testing.T) *world {
		return worldOn(t, folder(t), nil, plainBucket(t, s3test.VersityGW(t)), newBucketTree(t, s3test.MinIO(t), ""))
	},
}

// plainBucket is a bucket that keeps no versions.
func plainBucket(t *testing.T, s *s3test.Server) *bucketTree {
	t.Helper()
	return treeIn(t, s, s.Bucket(t), "area", "")
}

func onMixedStores(t *testing.T, test func(t *testing.T, w *world)) {
	for name, world := range mixedWorlds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, world(t))
		})
	}
}

func TestChaos_betweenStoresKilledAndDroppedAgain(t *testing.T) {
	onMixedStores(t, func(t *testing.T, w *world) {
		w.three(t)
		w.killedAgain(t, 2, 30)
	})
}

func TestChaos_betweenStoresPausedNodesDoNoHarm(t *testing.T) {
	onMixedStores(t, func(t *testing.T, w *world) {
		w.three(t, shortLease)
		w.stopped(t, 1)
	})
}
