package node

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	"hotfolderd/asset"
	"hotfolderd/config"
	"hotfolderd/storage"
	"hotfolderd/storage/s3/s3test"
)

// unfitNames are what a file system takes, and some bucket or server does not, or takes for something else.
var unfitNames = []asset.Key{
	"\xff\xfe.jpg", "c\x01\x1f.jpg", "\uffff", "two\nlines", "a\\..\\..\\b.txt", "..\\up", " ", "dots...", "%2E%2E", "a+b &<c>\"'?#.txt", "a~1",
	"\u202egpj.exe", "e\u0301 \u00e9", "Case", "CASE", "k", "k.d/k", "sub/\xff/x", "a.7.json", "a.error.json", "null", "x;y=z,*|",
	asset.Key(strings.Repeat("n", 255)), asset.Key(strings.Repeat("€", 85)),
	asset.Key(strings.Repeat(strings.Repeat("p", 200)+"/", 4) + "deep"), // 809 bytes: too long with what precedes it
	asset.Key(strings.Repeat(strings.Repeat("q", 254)+"/", 8) + "deeper"),
}

// Names that no bucket can hold come into a work area there like all others: they are had by their names, kept in the archive, and moved
// to failed/ and back.
func TestBucket_namesThatNoBucketHolds(t *testing.T) {
	minio, gateway := s3test.MinIO(t), s3test.VersityGW(t)
	for name, url := range map[string]string{
		"minio": minio.URL(minio.Bucket(t), "some/prefix"), "versitygw": gateway.URL(gateway.Bucket(t), "some/prefix"),
	} {
		t.Run(name, func(t *testing.T) { namesInBucket(t, url) })
	}
}

func namesInBucket(t *testing.T, url string) {
	t.Helper()
	good, bad := t.TempDir(), t.TempDir()
	o := bucketOptions(t, url)
	o.Rules = fixedRules{
		rule("inbox", func(r *config.Rule) {
			r.Path, r.After, r.Library, r.Match.System = "file://"+good, config.AfterArchive, true, "import"
		}),
		rule("bad", func(r *config.Rule) { r.Path, r.Match.MaxSize, r.Match.System = "file://"+bad, 4, "import" }),
	}
	n := start(t, o)
	for _, dir := range []string{good, bad} {
		people, err := OpenStore(t.Context(), o.Settings.Storage, dir, false)
		if err != nil {
			t.Fatal(err)
		}
		defer people.Close()
		for i, key := range unfitNames {
			put(t, people, key, []byte(fmt.Sprintf("this is %d", i)))
		}
		within(t, time.Minute, "all gone from "+dir, func() bool { return len(left(t, people)) == 0 })
	}
	for i, key := range unfitNames {
		if got := imported(t, n.Area(), asset.Key("inbox").Join(key)); string(got) != fmt.Sprintf("this is %d", i) {
			t.Errorf("%s: got %q", key.Quoted(), got)
		}
	}
	moved := map[asset.Key]bool{}
	for f, err := range n.Area().Failures(t.Context()) {
		if err != nil || f.Hotfolder != "bad" || moved[f.Key] {
			t.Errorf("want each failure once, with its reason, got %+v, %v", f, err)
		}
		moved[f.Key] = true
	}
	for _, key := range unfitNames {
		if !moved[key] {
			t.Errorf("%s did not fail, or is not told of", key.Quoted())
		}
	}
}

// left are the files in a store.
func left(t *testing.T, s storage.Store) (keys []asset.Key) {
	t.Helper()
	for o, err := range s.List(t.Context(), asset.Root, storage.ListOptions{Recursive: true, NamesOnly: true}) {
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			t.Fatal(err)
		case o.Kind != storage.Directory:
			keys = append(keys, o.Key)
		}
	}
	return keys
}
