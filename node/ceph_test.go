//go:build ceph

package node

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"testing"
	"time"

	"hotfolderd/asset"
	"hotfolderd/config"
	"hotfolderd/storage"
	"hotfolderd/storage/s3/s3test"
)

func init() {
	c := badBuckets["versitygw"]
	c.start = s3test.RadosGW
	badBuckets["radosgw"] = c
}

// As one has to choose there: drops where versions are kept, the work area where none are. Then no risk has to be accepted.
func TestCeph_dropsInABucketWithVersionsAreImportedOnce(t *testing.T) {
	s := s3test.RadosGW(t)
	drops := s.URL(s.VersionedBucket(t), "")
	o := bucketOptions(t, s.URL(s.Bucket(t), ""))
	o.Rules = fixedRules{rule("inbox", func(r *config.Rule) { r.Path, r.Complete.Poll = drops, config.Duration(200*time.Millisecond) })}
	r := start(t, o)
	people, err := OpenStore(t.Context(), o.Settings.Storage, drops, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { people.Close() })
	for i := range 20 {
		name := asset.Key(fmt.Sprintf("%d.jpg", i%10)) // each is dropped again after its import
		data := jpeg(20_000, uint64(i))
		if _, err := people.Put(t.Context(), name, bytes.NewReader(data), storage.PutOptions{}); err != nil {
			t.Fatal(err)
		}
		within(t, time.Minute, "imported "+string(name), func() bool {
			_, err := people.Stat(t.Context(), name)
			return errors.Is(err, fs.ErrNotExist) && bytes.Equal(imported(t, r.Area(), "inbox/"+name), data)
		})
		if n, want := r.number("inbox/"+name), 1+i/10; n != want {
			t.Errorf("%s: want version %d, got %d", name, want, n)
		}
	}
}
