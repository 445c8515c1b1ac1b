package cluster_test

import (
	"path/filepath"
	"testing"

	"hotfolderd/storage/s3/s3test"
)

// servers are those of S3 on which a cluster must hold.
var servers = s3test.Servers()

// onBuckets runs a test on a bucket of each server.
func onBuckets(t *testing.T, test func(t *testing.T, w *world)) {
	for name := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, bucketWorld(t, servers[name](t)))
		})
	}
}

// bucketWorld is a world without nodes whose store is a bucket, drops and all. Where nothing is removed for certain, new names are
// dropped where other bytes for old ones were wanted.
func bucketWorld(t *testing.T, s *s3test.Server) *world {
	t.Helper()
	w := worldOn(t, folder(t), nil, newBucketTree(t, s, "some/prefix"), nil)
	w.once = s.Name != "minio"
	return w
}

// folderTreeIn makes an empty folder, and room to prepare what comes into it.
func folderTreeIn(t *testing.T, dir, name string) folderTree {
	t.Helper()
	f := folderTree{t, filepath.Join(dir, name), filepath.Join(dir, name+"-incoming")}
	write(t, filepath.Join(f.root, ".keep"), "")
	return f
}
