package node

import (
	"strings"
	"testing"
	"time"

	"hotfolderd/admin"
	"hotfolderd/config"
	"hotfolderd/storage/s3/s3test"
	"hotfolderd/storage/storagetest"
	"hotfolderd/workarea"
)

// What others do to the work area in a bucket comes to a node without a word, by one listing in 20 s: a pause, newer rules, and a store
// that is not there any more.
func TestBucket_oneLookTellsOfEverything(t *testing.T) {
	for name, c := range map[string]*s3test.Server{"minio": s3test.MinIO(t), "versitygw": s3test.VersityGW(t)} {
		t.Run(name, func(t *testing.T) { oneLook(t, c) })
	}
}

func oneLook(t *testing.T, server *s3test.Server) {
	t.Helper()
	proxy, bucket := s3test.NewProxy(t, server), server.Bucket(t)
	o := bucketOptions(t, proxy.URL(bucket, "some/prefix"))
	o.Settings.Storage.AcceptRisk = true
	o.Settings.Hotfolders, o.Rules = config.Published, nil
	n := start(t, o)
	people, err := OpenStore(t.Context(), o.Settings.Storage, server.URL(bucket, "some/prefix"), false)
	if err != nil {
		t.Fatal(err)
	}
	defer people.Close()
	other, err := workarea.Open(t.Context(), people, workarea.Options{Node: "other"})
	if err != nil {
		t.Fatal(err)
	}
	var log requestLog
	log.listen(proxy)
	begin := time.Now()
	if _, err := other.PublishRules(t.Context(), workarea.RuleSet{Files: map[string]string{"inbox.yaml": "hotfolder: inbox\n"}}); err != nil {
		t.Fatal(err)
	}
	if err := other.SetPaused(t.Context(), "inbox", true); err != nil {
		t.Fatal(err)
	}
	shown := func() string {
		if s := n.room.Status(); len(s) == 1 {
			return s[0].Reason
		}
		return ""
	}
	within(t, time.Minute, "the rules, and the pause", func() bool { return strings.Contains(shown(), "paused on node other") })
	t.Logf("seen after %v", time.Since(begin).Round(time.Second))
	if looks := lists(log.take(), "LIST some/prefix/workarea/"); looks < 1 || looks > 3 {
		t.Errorf("want a look in 20 s, got %d in %v", looks, time.Since(begin))
	}

	doc := []byte(storagetest.Content(t, people, "workarea/store.json"))
	if err := people.Remove(t.Context(), "workarea/store.json", ""); err != nil {
		t.Fatal(err)
	}
	if err := other.SetPaused(t.Context(), "inbox", false); err != nil {
		t.Fatal(err)
	}
	within(t, time.Minute, "that the store is gone", func() bool { return strings.Contains(shown(), "vanished") })
	put(t, people, "workarea/store.json", doc)
	within(t, time.Minute, "that it is back", func() bool { return shown() == "" && n.State() == admin.Active })
}

func lists(seen []string, want string) (n int) {
	for _, s := range seen {
		if s == want {
			n++
		}
	}
	return n
}
