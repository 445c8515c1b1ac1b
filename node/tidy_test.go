package node

import (
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"hotfolderd/leases/consul/consultest"
	"hotfolderd/storage/s3/s3test"
)

// unfinished is a bucket in which a process that died left an upload.
type unfinished struct {
	t      *testing.T
	bucket string
	o      Options
	core   minio.Core
}

func newUnfinished(t *testing.T) *unfinished {
	t.Helper()
	server := s3test.MinIO(t)
	u := &unfinished{t: t, bucket: server.VersionedBucket(t), core: minio.Core{Client: server.Client(t)}}
	u.o = bucketOptions(t, server.URL(u.bucket, "pre"))
	id, err := u.core.NewMultipartUpload(t.Context(), u.bucket, "pre/workarea/large", minio.PutObjectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	people, err := OpenStore(t.Context(), u.o.Settings.Storage, u.o.Settings.Storage.URL, false)
	if err != nil {
		t.Fatal(err)
	}
	defer people.Close()
	put(t, people, ".hotfolderd/uploads/dead", []byte(`{"name":"pre/workarea/large","id":"`+id+`"}`))
	return u
}

func (u *unfinished) uploads() int {
	u.t.Helper()
	all, err := u.core.ListMultipartUploads(u.t.Context(), u.bucket, "pre/workarea/large", "", "", "", 10)
	if err != nil {
		u.t.Fatal(err)
	}
	return len(all.Uploads)
}

func TestTidy_endsUploadsOfDeadProcesses(t *testing.T) {
	u := newUnfinished(t)
	n := start(t, u.o)
	n.tidyOnce(t.Context(), time.Hour)
	if u.uploads() != 1 {
		t.Fatal("want what may still be under way left alone")
	}
	n.tidyOnce(t.Context(), 0)
	if left := u.uploads(); left != 0 {
		t.Errorf("want the upload given up, got %d", left)
	}
}

// One member does it for all, and the others nothing; when it has left, the next one has the duty.
func TestTidy_isTheDutyOfOneMember(t *testing.T) {
	u := newUnfinished(t)
	consul, namespace := consultest.Start(t).Addr, consultest.Namespace(t)
	member := func(id string, priority int) *running {
		o := u.o
		o.Settings.Node.ID, o.Settings.Node.Priority = id, priority
		o.Settings.Cluster.Consul, o.Settings.Cluster.Namespace = []string{consul}, namespace
		o.Settings.HTTP.Listen = "127.0.0.1:0"
		o.Registry, o.Memory = options(t, "").Registry, t.TempDir()
		return start(t, o)
	}
	main, other := member("main", 90), member("other", 10)
	within(t, 30*time.Second, "one has the duty", func() bool {
		return main.onDuty() && !other.onDuty() && len(main.together.members.View().Members) == 2
	})
	if other.tidyOnce(t.Context(), 0); u.uploads() != 1 {
		t.Error("a member without the duty tidied")
	}
	main.end()
	within(t, 30*time.Second, "the other has the duty", other.onDuty)
	if other.tidyOnce(t.Context(), 0); u.uploads() != 0 {
		t.Error("want the upload given up by the one that stays")
	}
}
