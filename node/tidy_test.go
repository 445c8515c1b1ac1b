package node

import (
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"hotfolderd/storage/s3/s3test"
)

func TestTidy_endsUploadsOfDeadProcesses(t *testing.T) {
	server := s3test.MinIO(t)
	bucket := server.VersionedBucket(t)
	o := bucketOptions(t, server.URL(bucket, "pre"))
	core := minio.Core{Client: server.Client(t)}
	leave := func() {
		t.Helper()
		id, err := core.NewMultipartUpload(t.Context(), bucket, "pre/workarea/large", minio.PutObjectOptions{})
		if err != nil {
			t.Fatal(err)
		}
		note := []byte(`{"name":"pre/workarea/large","id":"` + id + `"}`)
		people, err := OpenStore(t.Context(), o.Settings.Storage, o.Settings.Storage.URL, false)
		if err != nil {
			t.Fatal(err)
		}
		defer people.Close()
		put(t, people, ".hotfolderd/uploads/dead", note)
	}
	leave()
	n := start(t, o)
	uploads := func() (n int) {
		t.Helper()
		all, err := core.ListMultipartUploads(t.Context(), bucket, "pre/workarea/large", "", "", "", 10)
		if err != nil {
			t.Fatal(err)
		}
		return len(all.Uploads)
	}
	n.tidyOnce(t.Context(), time.Hour)
	if uploads() != 1 {
		t.Fatal("want what may still be under way left alone")
	}
	n.tidyOnce(t.Context(), 0)
	if left := uploads(); left != 0 {
		t.Errorf("want the upload given up, got %d", left)
	}
}
