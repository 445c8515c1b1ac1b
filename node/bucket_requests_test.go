package node

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"hotfolderd/asset"
	"hotfolderd/config"
	"hotfolderd/storage"
	"hotfolderd/storage/s3/s3test"
)

// What a first import costs on a bucket: GET of the drop, PUT of the asset, of the record and of the catalog's entry, a look at the
// drop and its DELETE. With two thumbnails: a look for them, PUT of both and of what is known of the picture.
const (
	requestsPerImport   = 6
	requestsForPictures = 4
)

// requestLog is what came through a proxy: "PUT hotfolders/inbox/a".
type requestLog struct {
	mu   sync.Mutex
	seen []string
}

func (l *requestLog) listen(p *s3test.Proxy) {
	p.Decide(func(r *http.Request) s3test.Fate {
		l.mu.Lock()
		defer l.mu.Unlock()
		where := r.URL.Path
		if kind := s3test.Kind(r); kind == "LIST" {
			where = "/bucket/" + r.URL.Query().Get("prefix")
		}
		_, key, _ := strings.Cut(strings.TrimPrefix(where, "/"), "/")
		l.seen = append(l.seen, s3test.Kind(r)+" "+key)
		return s3test.Fate{}
	})
}

// take forgets what it returns.
func (l *requestLog) take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	seen := l.seen
	l.seen = nil
	return seen
}

// sorted tells what is done for each drop from what is done now and then.
func sorted(seen []string) (drops, journal, polls, other []string) {
	for _, s := range seen {
		switch _, key, _ := strings.Cut(s, " "); {
		case s == "LIST hotfolders/inbox/":
			polls = append(polls, s)
		case strings.HasPrefix(key, "workarea/journal/"):
			journal = append(journal, s)
		case strings.HasPrefix(key, "hotfolders/inbox/"), strings.HasPrefix(key, "workarea/assets/"), strings.HasPrefix(key, "workarea/ledger/"),
			strings.HasPrefix(key, "workarea/catalog/"), strings.HasPrefix(key, "workarea/image-cache/"):
			drops = append(drops, s)
		default:
			other = append(other, s)
		}
	}
	return drops, journal, polls, other
}

func TestBucket_anImportIsFewRequests(t *testing.T) {
	minio, versity := s3test.MinIO(t), s3test.VersityGW(t)
	for name, c := range map[string]struct {
		server *s3test.Server
		bucket string
		sizes  []int
	}{
		"minio with versions": {minio, minio.VersionedBucket(t), nil},
		"minio":               {minio, minio.Bucket(t), nil},
		"versitygw":           {versity, versity.Bucket(t), nil},
		"with thumbnails":     {minio, minio.VersionedBucket(t), []int{16, 32}},
	} {
		t.Run(name, func(t *testing.T) { importRequests(t, c.server, c.bucket, c.sizes) })
	}
}

func importRequests(t *testing.T, server *s3test.Server, bucket string, sizes []int) {
	t.Helper()
	const drops = 20
	proxy := s3test.NewProxy(t, server)
	o := bucketOptions(t, proxy.URL(bucket, ""))
	o.Settings.Storage.AcceptRisk = true
	o.Rules = fixedRules{rule("inbox", func(r *config.Rule) { r.Thumbnails.Sizes = sizes })}
	people, err := OpenStore(t.Context(), o.Settings.Storage, server.URL(bucket, ""), false)
	if err != nil {
		t.Fatal(err)
	}
	defer people.Close()
	for i := range drops {
		put(t, people, asset.Key(fmt.Sprintf("hotfolders/inbox/%d.jpg", i)), jpeg(20_000, uint64(i)))
	}
	var log requestLog
	n := start(t, o)
	log.listen(proxy) // what a start costs is another matter
	within(t, 60*time.Second, "all imported and gone", func() bool {
		left := 0
		for o, err := range people.List(t.Context(), "hotfolders/inbox", storage.ListOptions{NamesOnly: true}) {
			if err == nil && o.Kind == storage.Regular {
				left++
			}
		}
		return left == 0 && len(records(t, people)) == drops
	})
	within(t, 10*time.Second, "the journal written", func() bool { return n.Area().Journal().Flush(t.Context()) == nil })
	got, journal, _, other := sorted(log.take())
	want := drops * requestsPerImport
	if sizes != nil {
		want += drops * requestsForPictures
	}
	got, late := afterwards(got)
	if len(got) != want || late > drops/4 {
		t.Errorf("want %d requests for %d imports, got %d, and %d afterwards:\n%s", want, drops, len(got), late, strings.Join(got, "\n"))
	}
	if len(journal) == 0 || len(journal) > drops/2 {
		t.Errorf("want the journal in few batches, got %q", journal)
	}
	if len(other) > 10 {
		t.Errorf("want little beside, got %q", other)
	}
}

// afterwards leaves out looks at drops that are gone: a poll that was under way when one went shows it once more, and a look finds nothing.
func afterwards(seen []string) (rest []string, late int) {
	gone := map[string]bool{}
	for _, s := range seen {
		kind, key, _ := strings.Cut(s, " ")
		if kind == "GET" && gone[key] {
			late++
			continue
		}
		gone[key] = gone[key] || kind == "DELETE"
		rest = append(rest, s)
	}
	return rest, late
}

// put drops a file as people do.
func put(t *testing.T, s storage.Store, key asset.Key, data []byte) {
	t.Helper()
	if _, err := s.Put(t.Context(), key, strings.NewReader(string(data)), storage.PutOptions{}); err != nil {
		t.Fatal(err)
	}
}

// An idle node looks at its hotfolders, and with one listing in 20 s at all else.
func TestBucket_anIdleNodeAsksLittle(t *testing.T) {
	server := s3test.MinIO(t)
	proxy := s3test.NewProxy(t, server)
	var log requestLog
	start(t, bucketOptions(t, proxy.URL(server.VersionedBucket(t), "")))
	time.Sleep(3 * time.Second) // what it asks at its start
	log.listen(proxy)
	const idle = 10 * time.Second
	time.Sleep(idle) // nothing happens, so there is nothing to wait for
	drops, journal, polls, other := sorted(log.take())
	if len(polls) == 0 || len(polls) > int(idle/(200*time.Millisecond)) {
		t.Errorf("want a poll each 200 ms at most, got %d", len(polls))
	}
	if len(drops)+len(journal) > 0 {
		t.Errorf("want no work, got %q %q", drops, journal)
	}
	if len(other) > 1 || len(other) == 1 && other[0] != "LIST workarea/" {
		t.Errorf("want a look at the work area and nothing beside, got %q", other)
	}
}
