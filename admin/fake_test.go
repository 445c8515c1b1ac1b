package admin

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const testToken = "a-token-of-some-length-4711"

// fake is a node in memory.
type fake struct {
	mu       sync.Mutex
	node     Node
	folders  []Folder
	feed     *Feed
	failures []asset.Failure
	names    map[asset.Key]asset.Record
	bytes    map[string][]byte // by hash, or hash-size-format
	story    []asset.Event
	hang     chan struct{} // when set, the store hangs until it is closed
	closed   int           // readers
	opened   int
	calls    []string
}

func newFake() *fake {
	return &fake{
		node: Node{ID: "node-a", State: Active, Version: "1.0", Roles: []string{"import"}, Store: "file:///srv/hf", StoreID: "s1", Rules: "abcdef0123456789"},
		folders: []Folder{{
			Name: "inbox", Path: "hotfolders/inbox", State: "watching", Level: OK, Watching: "events", DropHere: "/srv/hf/hotfolders/inbox",
			Imported: 12, Failed: 1, Ignored: 3,
		}},
		feed: NewFeed(8), names: map[asset.Key]asset.Record{}, bytes: map[string][]byte{},
	}
}

func (f *fake) backend() Backend {
	return Backend{
		Node: func() Node { f.mu.Lock(); defer f.mu.Unlock(); return f.node }, Folders: func() []Folder { return f.folders },
		Recent: f.feed.Recent, Subscribe: f.feed.Subscribe,
		Failures: func(ctx context.Context) iter.Seq2[asset.Failure, error] { f.wait(); return seq(f.failures) },
		Retry:    f.retry, Current: f.current, OpenAsset: f.openAsset, OpenThumbnail: f.openThumbnail,
		ListAssets: f.listAssets, Versions: f.versions, Version: f.version,
		Tags: func(context.Context, asset.Content) (map[string]map[string]string, error) {
			f.wait()
			return map[string]map[string]string{"exif": {"Make": "ACME"}}, nil
		},
		Story: func(_ context.Context, h string, k asset.Key) iter.Seq2[asset.Event, error] {
			f.call("story %s %s", h, k.Quoted())
			f.wait()
			return seq(f.story)
		},
		Scan:  func(_ context.Context, h string) error { f.call("scan %s", h); return nil },
		Pause: func(_ context.Context, h string, on bool) error { f.call("pause %s %v", h, on); return nil },
	}
}

func (f *fake) call(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, fmt.Sprintf(format, args...))
}

func (f *fake) wait() {
	if f.hang != nil {
		<-f.hang
	}
}

func seq[T any](vs []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, v := range vs {
			if !yield(v, nil) {
				return
			}
		}
	}
}

func (f *fake) retry(_ context.Context, id string) (asset.Key, error) {
	f.wait()
	for _, x := range f.failures {
		if x.ID == id {
			f.call("retry %s", id)
			return x.Key, nil
		}
	}
	return "", fmt.Errorf("failed drop %q: %w", id, fs.ErrNotExist)
}

func (f *fake) current(_ context.Context, name asset.Key) (asset.Record, int, error) {
	f.wait()
	rec, ok := f.names[name]
	if !ok {
		return rec, 0, fs.ErrNotExist
	}
	return rec, 3, nil
}

func (f *fake) openAsset(_ context.Context, h asset.Hash) (storage.Reader, error) {
	f.wait()
	return f.open(h.String())
}

func (f *fake) openThumbnail(_ context.Context, h asset.Hash, size int, format string) (storage.Reader, error) {
	f.wait()
	return f.open(fmt.Sprintf("%s-%d-%s", h, size, format))
}

func (f *fake) open(id string) (storage.Reader, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	data, ok := f.bytes[id]
	if !ok {
		return nil, fs.ErrNotExist
	}
	f.opened++
	return &fakeReader{Reader: bytes.NewReader(data), f: f, size: int64(len(data))}, nil
}

// listAssets lists in the order of names; its positions are names.
func (f *fake) listAssets(_ context.Context, q AssetQuery) (page AssetPage, err error) {
	f.wait()
	for _, name := range slices.Sorted(maps.Keys(f.names)) {
		rest, ok := strings.CutPrefix(string(name), q.Prefix)
		inner := strings.IndexByte(rest, '/')
		switch {
		case !ok || string(name) <= q.After:
		case len(page.Assets)+len(page.Folders) == q.Limit:
			return page, nil
		case q.Folders && inner >= 0:
			folder := asset.Key(q.Prefix + rest[:inner])
			if page.Next = string(folder) + "0"; !slices.Contains(page.Folders, folder) {
				page.Folders = append(page.Folders, folder)
			}
		case q.Match == nil || q.Match(name):
			page.Next = string(name)
			page.Assets = append(page.Assets, Asset{name, 3, f.names[name]})
		}
	}
	page.Next = ""
	return page, nil
}

// versions has each name in its three versions, all with the same bytes.
func (f *fake) versions(_ context.Context, name asset.Key, below, limit int) (found []Asset, next int, err error) {
	f.wait()
	rec, ok := f.names[name]
	if !ok {
		return nil, 0, fs.ErrNotExist
	}
	for n := 3; n > 0; n-- {
		switch {
		case below > 0 && n >= below:
		case len(found) == limit:
			return found, next, nil
		default:
			found, next = append(found, Asset{name, n, rec}), n
		}
	}
	return found, 0, nil
}

func (f *fake) version(_ context.Context, name asset.Key, number int) (asset.Record, error) {
	f.wait()
	rec, ok := f.names[name]
	if !ok || number > 3 {
		return rec, fs.ErrNotExist
	}
	return rec, nil
}

// put stores an asset, and with sizes also thumbnails of it.
func (f *fake) put(name, contentType, data string, sizes ...int) asset.Hash {
	h := asset.Hash(sha256.Sum256([]byte(data)))
	rec := asset.Record{Name: asset.Key(name), Hotfolder: "inbox", Committed: time.Unix(1_700_000_000, 0), Content: asset.Content{Hash: h, Size: int64(len(data)), Type: contentType}}
	f.bytes[h.String()] = []byte(data)
	if len(sizes) > 0 {
		rec.Thumbnails = &asset.Thumbnails{Sizes: sizes, Format: "jpeg"}
	}
	for _, s := range sizes {
		f.bytes[fmt.Sprintf("%s-%d-jpeg", h, s)] = fmt.Appendf(nil, "thumbnail %d of %s", s, name)
	}
	f.names[asset.Key(name)] = rec
	return h
}

type fakeReader struct {
	*bytes.Reader
	f    *fake
	size int64
}

func (r *fakeReader) Object() storage.Object      { return storage.Object{Size: r.size} }
func (r *fakeReader) Check(context.Context) error { return nil }
func (r *fakeReader) Close() error {
	r.f.mu.Lock()
	defer r.f.mu.Unlock()
	r.f.closed++
	return nil
}

func newServer(t *testing.T, f *fake, o Options) *Server {
	t.Helper()
	s, err := New(f.backend(), o)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	return s
}

// ask sends a request as a local program does, with changes made by edit.
func request(t *testing.T, s *Server, method, target string, edit ...func(*http.Request)) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, "http://127.0.0.1:8480"+target, nil)
	for _, e := range edit {
		e(r)
	}
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	return w
}

func header(k, v string) func(*http.Request) { return func(r *http.Request) { r.Header.Set(k, v) } }

func wantStatus(t *testing.T, want int, got *httptest.ResponseRecorder) {
	t.Helper()
	if got.Code != want {
		t.Fatalf("want status %d, got %d: %s", want, got.Code, got.Body)
	}
	if want >= 400 && want != 401 && !strings.Contains(got.Header().Get("Content-Type"), "problem+json") &&
		!strings.Contains(got.Header().Get("Content-Type"), "text/") {
		t.Errorf("want a problem, got %q", got.Header().Get("Content-Type"))
	}
}

func wantText(t *testing.T, want string, got *httptest.ResponseRecorder) {
	t.Helper()
	if !strings.Contains(got.Body.String(), want) {
		t.Errorf("want %q in the answer, got:\n%s", want, got.Body)
	}
}

func registry() *prometheus.Registry { return prometheus.NewRegistry() }

func (f *fake) putNothing(context.Context, asset.Key, io.Reader, PutOptions) (asset.Record, int, error) {
	return asset.Record{}, 0, fs.ErrPermission
}

func (f *fake) removeNothing(context.Context, asset.Key) error { return fs.ErrPermission }
