package thumbnails

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hotfolderd/asset"
	"hotfolderd/storage"
	"hotfolderd/storage/posix"
)

const testPrefix asset.Key = "workarea/image-cache"

// faultStore counts what is put into a real store, and fails when it is told to.
type faultStore struct {
	storage.Store
	mu   sync.Mutex
	puts []asset.Key
	fail error
}

func (s *faultStore) Put(ctx context.Context, key asset.Key, r io.Reader, o storage.PutOptions) (storage.Object, error) {
	s.mu.Lock()
	s.puts = append(s.puts, key)
	fail := s.fail
	s.mu.Unlock()
	if fail != nil {
		return storage.Object{}, fail
	}
	return s.Store.Put(ctx, key, r, o)
}

// fakeEngine counts and answers what it is told to.
type fakeEngine struct {
	Engine
	mu    sync.Mutex
	name  string
	calls int
	err   error
}

func (e *fakeEngine) Name() string { return e.name }

func (e *fakeEngine) Render(ctx context.Context, src io.ReaderAt, size int64, spec Spec, lim Limits) (Result, error) {
	e.mu.Lock()
	e.calls++
	err := e.err
	e.mu.Unlock()
	if err != nil {
		return Result{}, err
	}
	return e.Engine.Render(ctx, src, size, spec, lim)
}

type roomTest struct {
	*testing.T
	store   *faultStore
	engine  *fakeEngine
	room    *Room
	metrics *prometheus.Registry
}

func newRoom(t *testing.T) *roomTest {
	t.Helper()
	s, err := posix.Open(t.Context(), t.TempDir(), posix.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	rt := &roomTest{T: t, store: &faultStore{Store: s}, engine: &fakeEngine{Engine: NewImaging(), name: "test/1"}, metrics: prometheus.NewRegistry()}
	rt.room = New(rt.store, testPrefix, rt.engine, Options{Metrics: rt.metrics})
	t.Cleanup(func() { _ = rt.room.Close() })
	return rt
}

func content(data []byte, mime string) asset.Content {
	return asset.Content{Hash: sha256.Sum256(data), Size: int64(len(data)), Type: mime}
}

func (rt *roomTest) generate(data []byte, mime string, spec Spec) asset.Thumbnails {
	rt.Helper()
	got, err := rt.room.Generate(rt.Context(), content(data, mime), bytes.NewReader(data), spec)
	if err != nil {
		rt.Fatalf("Generate: %v", err)
	}
	return got
}

// count is the value of one counter.
func (rt *roomTest) count(name, label string) float64 {
	rt.Helper()
	families, err := rt.metrics.Gather()
	if err != nil {
		rt.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == name && (label == "" || len(m.GetLabel()) == 1 && m.GetLabel()[0].GetValue() == label) {
				return m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	return 0
}

var testSpec = Spec{Sizes: []int{64, 16}}

func TestGenerate_putsEachSizeBesideItsHash(t *testing.T) {
	rt := newRoom(t)
	data := asPNG(t, quarters(100, 50))
	h := content(data, "").Hash
	got := rt.generate(data, "image/png", testSpec)
	if want := (asset.Thumbnails{Sizes: []int{16, 64}, Format: "jpeg", Width: 100, Height: 50, ThumbHash: got.ThumbHash}); len(got.ThumbHash) < 10 || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("want %v, got %v", want, got)
	}
	folder := testPrefix.Join(h.Shard())
	if want := []asset.Key{folder + "/64.jpg", folder + "/16.jpg", folder + "/info.json"}; !slices.Equal(want, rt.store.puts) {
		t.Errorf("want %q, got %q", want, rt.store.puts)
	}
	for _, format := range []string{JPEG, "", Auto} {
		rd, err := rt.room.Open(t.Context(), h, 64, format)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(rd)
		if err != nil || rd.Object().Size != int64(len(b)) {
			t.Fatalf("read: %d bytes, %v", len(b), err)
		}
		near(t, picture(t, Rendition{Format: JPEG, Width: 64, Height: 32, Data: b}), 16, 8, red, 12)
		_ = rd.Close()
	}
}

func TestGenerate_againMakesNothing(t *testing.T) {
	rt := newRoom(t)
	data := asPNG(t, quarters(100, 50))
	first := rt.generate(data, "image/png", testSpec)
	puts := len(rt.store.puts)
	second, err := rt.room.Generate(t.Context(), content(data, "image/png"), &counted{fail: errors.New("must not be read")}, testSpec)
	if err != nil || fmt.Sprint(first) != fmt.Sprint(second) {
		t.Errorf("want %v again, got %v, %v", first, second, err)
	}
	if rt.engine.calls != 1 || len(rt.store.puts) != puts || rt.count("hotfolder_image_cache_hits_total", "") != 1 {
		t.Errorf("want one rendering and one hit, got %d renderings and %d puts", rt.engine.calls, len(rt.store.puts))
	}
	if rt.count("hotfolder_renders_total", "ok") != 1 || rt.count("hotfolder_render_duration_seconds", "png") != 1 {
		t.Error("want one rendering in the metrics")
	}
}

func TestGenerate_aMissingSizeIsMadeAgain(t *testing.T) {
	rt := newRoom(t)
	data := asPNG(t, quarters(100, 50))
	rt.generate(data, "image/png", testSpec)
	h := content(data, "").Hash
	if err := rt.store.Remove(t.Context(), rt.room.rendition(h, 16, JPEG), ""); err != nil {
		t.Fatal(err)
	}
	rt.generate(data, "image/png", testSpec)
	if rd, err := rt.room.Open(t.Context(), h, 16, JPEG); err != nil {
		t.Error(err)
	} else {
		_ = rd.Close()
	}
	if rt.engine.calls != 2 {
		t.Errorf("want 2 renderings, got %d", rt.engine.calls)
	}
}

func TestGenerate_autoRemembersTransparency(t *testing.T) {
	rt := newRoom(t)
	m := quarters(100, 50)
	m.Pix[3] = 0
	data := asPNG(t, m)
	spec := Spec{Sizes: []int{64}, Format: Auto}
	for range 2 {
		if got := rt.generate(data, "image/png", spec); got.Format != PNG {
			t.Errorf("want png, got %q", got.Format)
		}
	}
	if rt.engine.calls != 1 {
		t.Errorf("want 1 rendering, got %d", rt.engine.calls)
	}
}

func TestGenerate_saysWhyOnce(t *testing.T) {
	rt := newRoom(t)
	data := asJPEG(t, quarters(100, 50))
	data = data[:len(data)/2]
	for range 3 {
		if got := rt.generate(data, "image/jpeg", testSpec); !strings.Contains(got.Error, "cut off") || got.Sizes != nil {
			t.Errorf("want the reason, got %+v", got)
		}
	}
	if rt.engine.calls != 1 || rt.count("hotfolder_renders_total", "corrupt") != 1 {
		t.Errorf("want one try, got %d", rt.engine.calls)
	}
	rt.engine.name = "test/2"
	rt.generate(data, "image/jpeg", testSpec)
	if rt.engine.calls != 2 {
		t.Errorf("want another try by another engine, got %d", rt.engine.calls)
	}
}

func TestGenerate_widerLimitsTryAgain(t *testing.T) {
	rt := newRoom(t)
	data := asPNG(t, quarters(100, 50))
	rt.room.limits.MaxPixels = 4000
	for range 2 {
		if got := rt.generate(data, "image/png", testSpec); !strings.Contains(got.Error, "100 x 50 pixels") {
			t.Errorf("want the numbers, got %+v", got)
		}
	}
	rt.room.limits.MaxPixels = 3000
	rt.generate(data, "image/png", testSpec)
	if rt.engine.calls != 1 {
		t.Errorf("want one try under the same or narrower limits, got %d", rt.engine.calls)
	}
	rt.room.limits.MaxPixels = 5000
	if got := rt.generate(data, "image/png", testSpec); got.Error != "" || len(got.Sizes) != 2 {
		t.Errorf("want thumbnails under wider limits, got %+v", got)
	}
}

func TestGenerate_badLuckIsTriedThreeTimes(t *testing.T) {
	for _, kind := range []Kind{Timeout, Crashed} {
		t.Run(kind.String(), func(t *testing.T) {
			rt := newRoom(t)
			data := asPNG(t, quarters(100, 50))
			rt.engine.err = &Error{Kind: kind, Reason: "bad luck"}
			for range 5 {
				if got := rt.generate(data, "image/png", testSpec); got.Error != "bad luck" {
					t.Errorf("want the reason, got %+v", got)
				}
			}
			if rt.engine.calls != luckTries {
				t.Errorf("want %d tries, got %d", luckTries, rt.engine.calls)
			}
		})
	}
}

func TestGenerate_otherFilesAreNotRead(t *testing.T) {
	rt := newRoom(t)
	for mime, want := range map[string]string{"application/pdf": "no preview for application/pdf", "": "no preview for a file of unknown type"} {
		if got := rt.generate([]byte("%PDF"), mime, testSpec); got.Error != want {
			t.Errorf("want %q, got %q", want, got.Error)
		}
	}
	if got := rt.generate(asPNG(t, quarters(10, 10)), "image/png", Spec{}); got.Error != "" || got.Sizes != nil {
		t.Errorf("want nothing for no sizes, got %+v", got)
	}
	if rt.engine.calls != 0 || len(rt.store.puts) != 0 {
		t.Errorf("want no rendering and no file, got %d and %q", rt.engine.calls, rt.store.puts)
	}
}

func TestGenerate_storeFailureIsAnError(t *testing.T) {
	rt := newRoom(t)
	data := asPNG(t, quarters(100, 50))
	rt.store.fail = storage.ErrFull
	if _, err := rt.room.Generate(t.Context(), content(data, "image/png"), bytes.NewReader(data), testSpec); !errors.Is(err, storage.ErrFull) {
		t.Errorf("want %v, got %v", storage.ErrFull, err)
	}
	rt.store.fail = nil
	if got := rt.generate(data, "image/png", testSpec); len(got.Sizes) != 2 {
		t.Errorf("want thumbnails on the second try, got %+v", got)
	}
}

func TestGenerate_canceledIsAnErrorAndForgotten(t *testing.T) {
	rt := newRoom(t)
	data := asPNG(t, quarters(100, 50))
	rt.engine.err = context.Canceled
	if _, err := rt.room.Generate(t.Context(), content(data, "image/png"), bytes.NewReader(data), testSpec); !errors.Is(err, context.Canceled) {
		t.Errorf("want %v, got %v", context.Canceled, err)
	}
	if len(rt.store.puts) != 0 {
		t.Errorf("want nothing stored, got %q", rt.store.puts)
	}
}

func TestGenerate_manyAtOnceRenderOnce(t *testing.T) {
	rt := newRoom(t)
	data := camera(t, 800, 600)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			got, err := rt.room.Generate(t.Context(), content(data, "image/jpeg"), bytes.NewReader(data), testSpec)
			if err != nil || len(got.Sizes) != 2 {
				t.Errorf("want two sizes, got %+v, %v", got, err)
			}
		})
	}
	wg.Wait()
	if rt.engine.calls != 1 {
		t.Errorf("want 1 rendering, got %d", rt.engine.calls)
	}
}

func TestGenerate_waitingForTheTurnEndsWithTheContext(t *testing.T) {
	rt := newRoom(t)
	h := content(nil, "").Hash
	done, err := rt.room.turns.take(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := rt.room.Generate(ctx, content(nil, "image/png"), bytes.NewReader(nil), testSpec); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("want %v, got %v", context.DeadlineExceeded, err)
	}
}

func TestGenerate_spoiledInfoIsMadeAgain(t *testing.T) {
	rt := newRoom(t)
	data := asPNG(t, quarters(100, 50))
	want := rt.generate(data, "image/png", testSpec)
	key := rt.room.infoKey(content(data, "").Hash)
	if _, err := rt.store.Put(t.Context(), key, strings.NewReader(`{"width": 100, "hei`), storage.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := rt.generate(data, "image/png", testSpec); fmt.Sprint(got) != fmt.Sprint(want) || rt.engine.calls != 2 {
		t.Errorf("want %v by a second rendering, got %v by %d", want, got, rt.engine.calls)
	}
}

func TestOpen_whatWasNotMade(t *testing.T) {
	rt := newRoom(t)
	for _, format := range []string{JPEG, PNG, Auto, "", "gif", "../../x"} {
		if _, err := rt.room.Open(t.Context(), content(nil, "").Hash, 64, format); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: want %v, got %v", format, fs.ErrNotExist, err)
		}
	}
}

func TestForget_removesAllAndTwice(t *testing.T) {
	rt := newRoom(t)
	data := asPNG(t, quarters(100, 50))
	rt.generate(data, "image/png", testSpec)
	h := content(data, "").Hash
	for range 2 {
		if err := rt.room.Forget(t.Context(), h); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range rt.store.puts {
		if _, err := rt.store.Stat(t.Context(), key); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: want it gone, got %v", key, err)
		}
	}
	rt.generate(data, "image/png", testSpec)
	if rt.engine.calls != 2 {
		t.Errorf("want 2 renderings, got %d", rt.engine.calls)
	}
}

func FuzzParseInfo(f *testing.F) {
	good, err := json.Marshal(info{Width: 3, Height: 4}.failed(&Error{Kind: Timeout, Reason: "r"}, "e", Limits{}))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"failure":{"kind":200}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		i := parseInfo(b)
		_ = i.final("e", Limits{})
		_ = i.thumbnails(testSpec)
		if i.Failure != nil {
			_ = i.Failure.Kind.String()
		}
	})
}
