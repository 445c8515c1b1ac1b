//go:build ceph

package s3_test

import (
	"strings"
	"testing"

	"hotfolderd/storage/s3"
	"hotfolderd/storage/s3/s3test"
)

func TestCeph_keepsTheContract(t *testing.T) {
	s := s3test.RadosGW(t)
	contract(t, s, s.Bucket(t))
}

// Where it keeps versions it lets two writers create one object.
func TestCeph_versionsAreForDropsAlone(t *testing.T) {
	s := s3test.RadosGW(t)
	c := s3.Config{URL: s.URL(s.VersionedBucket(t), ""), CredentialsFile: s3test.Credentials(t), Use: s3.ForDrops}
	opened(t, c)
	c.Use = s3.ForWorkArea
	if _, err := s3.Open(t.Context(), c); err == nil || !strings.Contains(err.Error(), "use a bucket without versions for the work area") {
		t.Errorf("want it refused for a work area, got %v", err)
	}
}
