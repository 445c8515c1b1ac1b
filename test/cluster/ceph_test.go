//go:build ceph

package cluster_test

import "hotfolderd/storage/s3/s3test"

// Ceph's gateway takes part too: make ceph.
func init() { servers["radosgw"] = s3test.RadosGW }
