package node

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"hotfolderd/asset"
	"hotfolderd/config"
	"hotfolderd/storage"
	"hotfolderd/storage/s3/s3test"
)

// badBucket is a node on a bucket to which something is done, and people who reach the bucket undisturbed.
type badBucket struct {
	t      *testing.T
	server *s3test.Server
	bucket string
	people *OpenedStore
	want   map[string][]byte // what was dropped, and acknowledged
}

// badBuckets are the servers, each with the kind of bucket that one would choose there.
var badBuckets = map[string]struct {
	start  func(testing.TB) *s3test.Server
	bucket func(*s3test.Server, testing.TB) string
}{
	"minio":     {s3test.MinIO, (*s3test.Server).VersionedBucket},
	"versitygw": {s3test.VersityGW, (*s3test.Server).Bucket},
}

// onBadBuckets runs a test on each of them.
func onBadBuckets(t *testing.T, test func(f *badBucket)) {
	for name, c := range badBuckets {
		t.Run(name, func(t *testing.T) {
			f := &badBucket{t: t, server: c.start(t), want: map[string][]byte{}}
			f.bucket = c.bucket(f.server, t)
			people, err := OpenStore(t.Context(), f.options("").Settings.Storage, f.server.URL(f.bucket, ""), false)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { people.Close() })
			f.people = people
			test(f)
		})
	}
}

// options of a node that reaches the bucket by url. No name is dropped twice, so a removal cannot hit a newer drop.
func (f *badBucket) options(url string, change ...func(*config.Rule)) Options {
	o := bucketOptions(f.t, url)
	o.Settings.Storage.AcceptRisk = true
	o.Rules = fixedRules{rule("inbox", append(change, func(r *config.Rule) {
		r.Retry.Backoff, r.Retry.MaxBackoff = config.Duration(20*time.Millisecond), config.Duration(time.Second)
	})...)}
	return o
}

// drop drops a file whose bytes are no other's, and drops it again until that is acknowledged.
func (f *badBucket) drop(name string, size int) {
	f.t.Helper()
	data := jpeg(size, sum64(name))
	within(f.t, time.Minute, "dropped "+name, func() bool {
		_, err := f.people.Put(f.t.Context(), asset.Key("hotfolders/inbox/"+name), bytes.NewReader(data), storage.PutOptions{})
		return err == nil
	})
	f.want[name] = data
}

func sum64(s string) (n uint64) {
	h := sha256.Sum256([]byte(s))
	for _, b := range h[:8] {
		n = n<<8 | uint64(b)
	}
	return n
}

// imported waits until nothing lies there any more.
func (f *badBucket) imported(patience time.Duration) {
	f.t.Helper()
	within(f.t, patience, "all imported", func() bool {
		left := 0
		for o, err := range f.people.List(f.t.Context(), "hotfolders/inbox", storage.ListOptions{Recursive: true}) {
			if err != nil || o.Kind == storage.Regular {
				left++
			}
		}
		time.Sleep(20 * time.Millisecond)
		return left == 0
	})
}

// once checks that everything was imported, whole, and once.
func (f *badBucket) once(n *running) {
	f.t.Helper()
	for name, data := range f.want {
		key := asset.Key("inbox/" + name)
		versions := 0
		for _, err := range n.Area().Versions(f.t.Context(), key) {
			if err != nil {
				f.t.Errorf("%s: %v", name, err)
			}
			versions++
		}
		if versions != 1 || !bytes.Equal(imported(f.t, n.Area(), key), data) {
			f.t.Errorf("%s: want it imported once and whole, got %d versions", name, versions)
		}
	}
	if got := len(records(f.t, f.people)); got != len(f.want) {
		f.t.Errorf("want %d records, got %d", len(f.want), got)
	}
	for failure, err := range n.Area().Failures(f.t.Context()) {
		f.t.Errorf("want no drop given up, got %+v %v", failure, err)
	}
	f.whole()
}

// whole checks that every asset that can be seen has the bytes that its name says. It may run beside a node.
func (f *badBucket) whole() (seen int) {
	f.t.Helper()
	for o, err := range f.people.List(f.t.Context(), "workarea/assets", storage.ListOptions{Recursive: true}) {
		if err != nil || o.Kind != storage.Regular {
			continue
		}
		r, err := f.people.Open(f.t.Context(), o.Key, "")
		if err != nil {
			continue // the server is down
		}
		data, err := io.ReadAll(r)
		r.Close()
		if err != nil {
			continue
		}
		seen++
		if got := fmt.Sprintf("%x", sha256.Sum256(data)); got != o.Key.Base() {
			f.t.Errorf("want whole assets only, got %d bytes under %s", len(data), o.Key)
		}
	}
	return seen
}

// watchWhole looks for half objects until it is ended.
func (f *badBucket) watchWhole() (end func()) {
	stop := make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(100 * time.Millisecond):
				f.whole()
			}
		}
	})
	return func() { close(stop); all.Wait() }
}

// fate is what becomes of a request on a bad day: a third of all are answered by an error, half of these when the server has done what was
// asked; others are lost, cut or slow.
func fate(r *rand.Rand, req *http.Request) s3test.Fate {
	status := []int{500, 503}[r.IntN(2)]
	switch n := r.IntN(60); {
	case n < 10:
		return s3test.Fate{Status: status}
	case n < 20:
		return s3test.Fate{Status: status, LoseAnswer: true}
	case n < 22:
		return s3test.Fate{Lose: true}
	case n < 24:
		return s3test.Fate{LoseAnswer: true}
	case n < 26:
		return s3test.Fate{CutAnswer: 1 + r.Int64N(20_000)}
	case n < 28 && req.Method == http.MethodPut:
		return s3test.Fate{CutRequest: 1 + r.Int64N(20_000)}
	case n < 31:
		return s3test.Fate{Slow: time.Duration(r.IntN(300)) * time.Millisecond}
	}
	return s3test.Fate{}
}

func TestBucket_aBadNetworkLosesNothingAndDoublesNothing(t *testing.T) {
	onBadBuckets(t, func(f *badBucket) {
		const drops = 60
		proxy := s3test.NewProxy(f.t, f.server)
		n := start(f.t, f.options(proxy.URL(f.bucket, "")))
		r := rand.New(rand.NewPCG(1, 2))
		var faults atomic.Int64
		proxy.Reset()
		proxy.Decide(func(req *http.Request) s3test.Fate {
			fate := fate(r, req)
			if fate.Status+int(fate.Slow)+int(fate.CutAnswer+fate.CutRequest) > 0 || fate.Lose || fate.LoseAnswer {
				faults.Add(1)
			}
			return fate
		})
		end := f.watchWhole()
		for i := range drops {
			f.drop(fmt.Sprintf("%d.jpg", i), 10_000+i*3_000)
		}
		f.imported(3 * time.Minute)
		end()
		requests := proxy.Count("")
		proxy.Decide(nil)
		f.once(n)
		f.t.Logf("%d requests, %d of them disturbed, for %d imports", requests, faults.Load(), drops)
		if faults.Load() < drops {
			f.t.Errorf("want many faults, got %d", faults.Load())
		}
		if most := 30*drops + 500; requests > most { // six, each as often as it takes, and the polls
			f.t.Errorf("want bounded retries: at most %d requests, got %d", most, requests)
		}
	})
}

func TestBucket_aServerKilledInTheMiddleLosesNothing(t *testing.T) {
	onBadBuckets(t, func(f *badBucket) {
		n := start(f.t, f.options(f.server.URL(f.bucket, "")))
		end := f.watchWhole()
		for round := range 4 {
			for i := range 15 {
				f.drop(fmt.Sprintf("%d-%d.jpg", round, i), 10_000+i*40_000)
			}
			time.Sleep(time.Duration(rand.N(int64(200 * time.Millisecond)))) // somewhere in the middle of the imports
			f.server.Kill()
			f.server.Restart(f.t)
		}
		f.imported(3 * time.Minute)
		end()
		f.once(n)
	})
}

// Notifications are lost, come twice and in another order: what is imported is the same.
func TestBucket_badNotificationsChangeNothingButTime(t *testing.T) {
	server := s3test.MinIO(t)
	f := &badBucket{t: t, server: server, bucket: server.VersionedBucket(t), want: map[string][]byte{}}
	proxy := s3test.NewProxy(t, server)
	r := rand.New(rand.NewPCG(3, 4))
	var mu sync.Mutex
	var held []string
	changed := map[string]int{}
	proxy.Decide(func(req *http.Request) s3test.Fate {
		if !req.URL.Query().Has("events") {
			return s3test.Fate{}
		}
		return s3test.Fate{Lines: func(line string) []string {
			if !strings.Contains(line, "hotfolders%2F") && !strings.Contains(line, "hotfolders/") {
				return []string{line}
			}
			mu.Lock()
			defer mu.Unlock()
			switch n := r.IntN(100); {
			case n < 30:
				changed["lost"]++
				return nil
			case n < 60:
				changed["doubled"]++
				return []string{line, line}
			case n < 90:
				changed["late"]++
				held = append(held, line)
				return nil
			}
			late := append([]string{line}, held...)
			held = nil
			return late
		}}
	})
	o := f.options(proxy.URL(f.bucket, ""))
	n := start(t, o)
	people, err := OpenStore(t.Context(), o.Settings.Storage, server.URL(f.bucket, ""), false)
	if err != nil {
		t.Fatal(err)
	}
	defer people.Close()
	f.people = people
	within(t, 30*time.Second, "listening", func() bool { return strings.Contains(n.room.Status()[0].Watching, "events") })
	for i := range 100 {
		f.drop(fmt.Sprintf("%d.jpg", i), 10_000)
	}
	f.imported(2 * time.Minute)
	f.once(n)
	mu.Lock()
	defer mu.Unlock()
	if changed["lost"] == 0 || changed["doubled"] == 0 || changed["late"] == 0 {
		t.Errorf("want notifications of all kinds, got %v", changed)
	}
}

// sharedText is a log that several write to.
type sharedText struct {
	mu sync.Mutex
	strings.Builder
}

func (s *sharedText) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Builder.Write(p)
}

func (s *sharedText) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Builder.String()
}

func (s *sharedText) Sync() error { return nil }

// No secret gets into a log, a status or a metric, whatever goes wrong.
func TestBucket_noSecretIsTold(t *testing.T) {
	server := s3test.MinIO(t)
	bucket := server.VersionedBucket(t)
	proxy := s3test.NewProxy(t, server)
	var text sharedText
	o := bucketOptions(t, proxy.URL(bucket, ""))
	o.Log = zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), &text, zap.DebugLevel))
	n := start(t, o)
	r := rand.New(rand.NewPCG(5, 6))
	var signatures sync.Map
	proxy.Decide(func(req *http.Request) s3test.Fate {
		_, signature, _ := strings.Cut(req.Header.Get("Authorization"), "Signature=")
		signatures.Store(signature, true)
		signatures.Store(req.URL.Query().Get("X-Amz-Signature"), true)
		return fate(r, req)
	})
	people, err := OpenStore(t.Context(), o.Settings.Storage, server.URL(bucket, ""), false)
	if err != nil {
		t.Fatal(err)
	}
	defer people.Close()
	for i := range 20 {
		put(t, people, asset.Key(fmt.Sprintf("hotfolders/inbox/%d", i)), jpeg(10_000, uint64(i)))
	}
	within(t, time.Minute, "all imported", func() bool { return len(records(t, people)) == 20 })
	o.Settings.Storage.CredentialsFile = s3test.CredentialsOf(t, s3test.AccessKey, "another-secret-of-mine")
	if _, err := New(t.Context(), Options{Settings: o.Settings, Rules: o.Rules, Log: o.Log, Registry: options(t, "").Registry}); err == nil ||
		strings.Contains(err.Error(), "another-secret-of-mine") {
		t.Errorf("want wrong credentials refused without showing them, got %v", err)
	}
	families, err := n.o.Registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	told := text.String() + fmt.Sprint(families) + fmt.Sprintf("%+v", n.room.Status())
	if !strings.Contains(told, "imported") {
		t.Fatal("want a log")
	}
	signatures.Range(func(signature, _ any) bool {
		if s := signature.(string); s != "" && strings.Contains(told, s) {
			t.Errorf("a signature was told")
		}
		return true
	})
	for _, secret := range []string{s3test.SecretKey, "another-secret-of-mine"} {
		if i := strings.Index(told, secret); i >= 0 {
			t.Errorf("a secret was told: %q", told[max(0, i-200):i])
		}
	}
}
