package cluster_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"hotfolderd/leases/consul/consultest"
	"hotfolderd/storage/s3/s3test"
)

// bucketGates are two nodes with FTP gates whose store is a bucket.
func bucketGates(t *testing.T, s *s3test.Server) (*gates, *bucketTree) {
	t.Helper()
	w := bucketWorld(t, s)
	w.consul = []string{consultest.Start(t).Addr}
	return gatesOn(t, w, 2, defaultRule), w.tree.(*bucketTree)
}

// An upload into a bucket goes there in parts while it comes. When its node is killed, another one goes on behind them.
func TestBucketGate_anUploadGoesOnAtAnotherNode(t *testing.T) {
	t.Parallel()
	for name, client := range map[string]string{"minio": "curl", "versitygw": "lftp"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g, bucket := bucketGates(t, servers[name](t))
			goesOnElsewhere(t, g, client, func() bool { return bucket.streamed() > 1 })
			within(t, time.Minute, "nothing kept any more", func() bool { return len(bucket.list("workarea/ftp/partials")) == 0 })
			if left := bucket.list(".hotfolderd/uploads"); len(left) > 0 {
				t.Errorf("want no upload in parts left, got %q", left)
			}
		})
	}
}

// streamed is how many parts there are of the one upload that broke off, by the bare client.
func (b *bucketTree) streamed() int {
	for _, path := range b.list("workarea/ftp/partials") {
		if !strings.HasSuffix(path, ".stream") {
			continue
		}
		data, _, err := b.read(path)
		var kept struct{ Token string }
		var of struct{ Key, ID string }
		if err != nil || json.Unmarshal(data, &kept) != nil || json.Unmarshal([]byte(kept.Token), &of) != nil {
			return 0
		}
		core := minio.Core{Client: b.client}
		has, err := core.ListObjectParts(b.t.Context(), b.bucket, b.prefix+of.Key, of.ID, 0, 1000)
		if err != nil {
			return 0
		}
		return len(has.ObjectParts)
	}
	return 0
}

// What is told to be stored at one node is imported once, by any.
func TestBucketGate_anotherNodeImportsWhatOneIsSent(t *testing.T) {
	t.Parallel()
	g, bucket := bucketGates(t, s3test.MinIO(t))
	const n = 24
	file := filepath.Join(g.dir, "small.txt")
	for i := range n {
		write(t, file, fmt.Sprintf("drop %d has no format", i))
		if out, err := g.curl(0, file, fmt.Sprintf("%d.txt", i)).CombinedOutput(); err != nil {
			t.Fatalf("curl: %v\n%s", err, out)
		}
	}
	within(t, time.Minute, "all imported\n"+g.String(), func() bool { return len(bucket.list("hotfolders/inbox")) == 0 })
	byNode, names := map[string]int{}, map[string]bool{}
	for _, r := range g.ledger() {
		byNode[r.Node]++
		names[r.Name] = true
	}
	if byNode["a"]+byNode["b"] != n || len(names) != n || byNode["b"] == 0 {
		t.Errorf("want %d imports, one of each, some by b, got %v", n, byNode)
	}
}
