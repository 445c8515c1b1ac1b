package node

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hotfolderd/config"
	"hotfolderd/storage/s3/s3test"
)

// wantApart tries each path for a second hotfolder beside inbox, whose files lie in hotfolders/inbox of the store.
func wantApart(t *testing.T, o Options, refused map[string]bool) {
	t.Helper()
	for path, no := range refused {
		o.Rules = fixedRules{rule("inbox"), rule("second", func(r *config.Rule) { r.Path = path })}
		o.Registry = options(t, "").Registry
		n, err := New(t.Context(), o)
		if err == nil {
			err = n.Close()
		}
		switch {
		case no && (err == nil || !strings.Contains(err.Error(), `"inbox"`) || !strings.Contains(err.Error(), `"second"`)):
			t.Errorf("%s: want it refused beside the other, got %v", path, err)
		case !no && err != nil:
			t.Errorf("%s: %v", path, err)
		}
	}
}

// A URL may lead into the store of the settings, and to a folder that another hotfolder has: each drop would belong to two.
func TestHotfolders_thatShareFilesAreRefused(t *testing.T) {
	dir := t.TempDir()
	inbox := filepath.Join(dir, "hotfolders", "inbox")
	for _, sub := range []string{"sub", "../other"} {
		if err := os.MkdirAll(filepath.Join(inbox, sub), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(inbox, link); err != nil {
		t.Fatal(err)
	}
	wantApart(t, options(t, dir), map[string]bool{
		"file://" + inbox: true, "file://" + inbox + "/sub": true, "file://" + filepath.Dir(inbox): true, "file://" + link: true,
		"file://" + filepath.Dir(inbox) + "/other": false, "file://" + t.TempDir(): false,
	})
}

func TestBucket_hotfoldersThatShareFilesAreRefused(t *testing.T) {
	server := s3test.MinIO(t)
	bucket := server.VersionedBucket(t)
	wantApart(t, bucketOptions(t, server.URL(bucket, "pre")), map[string]bool{
		server.URL(bucket, "pre/hotfolders/inbox"): true, server.URL(bucket, "pre/hotfolders/inbox/sub"): true,
		server.URL(bucket, "pre/hotfolders"): true, server.URL(bucket, "pre/hotfolders/inbox2"): false, server.URL(bucket, "other"): false,
	})
}
