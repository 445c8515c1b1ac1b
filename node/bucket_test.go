package node

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"hotfolderd/asset"
	"hotfolderd/config"
	"hotfolderd/storage"
	"hotfolderd/storage/s3/s3test"
)

// bucketOptions are of a node whose store is a bucket that keeps versions.
func bucketOptions(t testing.TB, url string) Options {
	t.Helper()
	o := options(t, url, rule("inbox", func(r *config.Rule) { r.Complete.Poll = config.Duration(200 * time.Millisecond) }))
	o.Settings.Storage.CredentialsFile = s3test.Credentials(t)
	o.Memory = t.TempDir()
	return o
}

func TestBucket_dropsAreImportedOnceAndGone(t *testing.T) {
	server := s3test.MinIO(t)
	url := server.URL(server.VersionedBucket(t), "some/prefix")
	o := bucketOptions(t, url)
	r := start(t, o)
	people, err := OpenStore(t.Context(), o.Settings.Storage, url, false)
	if err != nil {
		t.Fatal(err)
	}
	defer people.Close()
	want := map[string][]byte{"a.txt": []byte("first"), "sub/b.jpg": jpeg(30_000, 1), "c.bin": bytes.Repeat([]byte("large"), 1<<19)}
	for name, data := range want {
		key := asset.Key("hotfolders/inbox/" + name)
		if _, err := people.Put(t.Context(), key, bytes.NewReader(data), storage.PutOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	for name, data := range want {
		within(t, 30*time.Second, name+" imported", func() bool {
			_, err := people.Stat(t.Context(), asset.Key("hotfolders/inbox/"+name))
			return err != nil && bytes.Equal(imported(t, r.Area(), asset.Key("inbox/"+name)), data)
		})
	}
	if got := records(t, people); len(got) != len(want) {
		t.Errorf("want %d records, got %v", len(want), got)
	}
	r.end()

	// Another node of this machine finds all of it, and nothing to do.
	again := o
	again.Registry = options(t, "").Registry
	n := start(t, again)
	if !bytes.Equal(imported(t, n.Area(), "inbox/a.txt"), want["a.txt"]) {
		t.Error("the bucket was forgotten")
	}
	if _, err := New(context.WithoutCancel(t.Context()), Options{
		Settings: o.Settings, Rules: o.Rules, Log: o.Log, Registry: options(t, "").Registry, Memory: o.Memory,
	}); err == nil || !strings.Contains(err.Error(), "another hotfolderd") {
		t.Errorf("want a second node that is alone on the bucket refused on this machine, got %v", err)
	}
}

// A hotfolder that holds the work area, or lies in it, would import what the node writes.
func TestBucket_aHotfolderOverTheWorkAreaIsRefused(t *testing.T) {
	server := s3test.MinIO(t)
	bucket := server.VersionedBucket(t)
	o := bucketOptions(t, server.URL(bucket, "some/prefix"))
	for path, refused := range map[string]bool{
		server.URL(bucket, ""): true, server.URL(bucket, "some"): true, server.URL(bucket, "some/prefix/workarea/failed"): true,
		server.URL(bucket, "some/prefix/.hotfolderd"): true, "workarea": true,
		server.URL(bucket, "some/prefix/hotfolders/x"): false, server.URL(bucket, "some/prefix2"): false, "inbox": false,
		server.URL(server.VersionedBucket(t), ""): false, "file://" + t.TempDir(): false,
	} {
		o.Rules = fixedRules{rule("inbox", func(r *config.Rule) { r.Path = path })}
		o.Registry = options(t, "").Registry
		n, err := New(t.Context(), o)
		switch {
		case refused && (err == nil || !strings.Contains(err.Error(), "work area's")):
			t.Errorf("%s: want it refused, got %v", path, err)
		case !refused && err != nil:
			t.Errorf("%s: %v", path, err)
		}
		if err == nil {
			if err := n.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// Without versions a bucket may hold the work area, and no drops.
func TestBucket_withoutVersionsHoldsNoDrops(t *testing.T) {
	server := s3test.MinIO(t)
	plain := server.URL(server.Bucket(t), "")
	o := bucketOptions(t, plain)
	try := func() error {
		o.Registry = options(t, "").Registry
		n, err := New(t.Context(), o)
		if err != nil {
			return err
		}
		return n.Close()
	}
	for _, word := range []string{"cannot hold drops", "turn versioning on", "accept_risk"} {
		if err := try(); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("drops in it: want the word %q, got %v", word, err)
		}
	}
	o.Rules = fixedRules{rule("inbox", func(r *config.Rule) { r.Path = "file://" + t.TempDir() })}
	if err := try(); err != nil {
		t.Errorf("drops elsewhere: %v", err)
	}
	o.Rules = fixedRules{rule("inbox")}
	o.Settings.Storage.AcceptRisk = true
	if err := try(); err != nil {
		t.Errorf("with the risk accepted: %v", err)
	}
}
