package admin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hotfolderd/asset"
)

func waiting(wait func(context.Context, string) error) func(*Backend) {
	return func(b *Backend) { b.WaitIndex = wait }
}

func TestIndex_aReadWaitsBeforeItReads(t *testing.T) {
	f := newFake()
	var waited []string
	s := clustered(t, f, nil, waiting(func(_ context.Context, index string) error {
		waited = append(waited, index)
		f.put("a", "text/plain", "newer") // comes with the change that is waited for
		return nil
	}))
	w := request(t, s, "GET", "/v1/assets/a", header(indexHeader, "node-b.X:7"))
	wantStatus(t, 200, w)
	if w.Body.String() != "newer" {
		t.Errorf("want what came with the change, got %q", w.Body)
	}
	wantStatus(t, 200, request(t, s, "HEAD", "/v1/assets/a", header(indexHeader, "node-b.X:8")))
	wantStatus(t, 200, request(t, s, "GET", "/v1/hotfolders", header(indexHeader, "node-b.X:9")))
	if want := []string{"node-b.X:7", "node-b.X:8", "node-b.X:9"}; !slices.Equal(want, waited) {
		t.Errorf("want %q waited for, got %q", want, waited)
	}
}

func TestIndex_probesAndWritesDoNotWait(t *testing.T) {
	s := clustered(t, newFake(), nil, waiting(func(context.Context, string) error { return errors.New("waited") }))
	for _, target := range []string{"/livez", "/readyz", "/", "/page/page.js"} {
		wantStatus(t, 200, request(t, s, "GET", target, header(indexHeader, "node-b.X:7")))
	}
	wantStatus(t, 200, request(t, s, "POST", "/v1/hotfolders/inbox/pause", header(indexHeader, "node-b.X:7")))
	wantStatus(t, 200, request(t, newServer(t, newFake(), Options{}), "GET", "/v1/node", header(indexHeader, "node-b.X:7"))) // alone
}

func TestIndex_needsTheToken(t *testing.T) {
	b := newFake().backend()
	b.WaitIndex = func(context.Context, string) error { t.Error("a stranger made the node wait"); return nil }
	s, err := New(b, Options{Token: testToken})
	if err != nil {
		t.Fatal(err)
	}
	wantStatus(t, 401, request(t, s, "GET", "/v1/node", header(indexHeader, "node-b.X:7")))
}

func TestIndex_isNotWaitedForWithoutAnEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := clustered(t, newFake(), nil, waiting(func(ctx context.Context, _ string) error { <-ctx.Done(); return context.Cause(ctx) }))
		began := time.Now()
		w := request(t, s, "GET", "/v1/node", header(indexHeader, "node-b.X:7"))
		if took := time.Since(began); took != indexTimeout {
			t.Errorf("want it given up after %v, took %v", indexTimeout, took)
		}
		wantStatus(t, http.StatusServiceUnavailable, w)
		wantText(t, "node-b.X:7", w)
		if w.Header().Get("Retry-After") == "" {
			t.Error("want Retry-After")
		}
	})
}

func TestIndex_faultsHaveTheirStatus(t *testing.T) {
	s := clustered(t, newFake(), nil, waiting(func(_ context.Context, index string) error {
		switch index {
		case "bad":
			return fmt.Errorf("%w: it has no number", ErrIndex)
		case "gone":
			return fmt.Errorf("Consul does not answer: %w", asset.ErrNotNow)
		}
		return nil
	}))
	for index, want := range map[string]int{"bad": 400, "gone": 503, "a b": 400, "a\tb": 400, "\xff": 400, strings.Repeat("x", maxIndex+1): 400, "good": 200} {
		if w := request(t, s, "GET", "/v1/node", header(indexHeader, index)); w.Code != want {
			t.Errorf("%q: want %d, got %d %s", index, want, w.Code, w.Body)
		}
	}
	waited := 0
	several := clustered(t, newFake(), nil, waiting(func(context.Context, string) error { waited++; return nil }))
	wantStatus(t, 200, request(t, several, "GET", "/v1/node", header(indexHeader, "node-a.X:7, node-b.Y:9")))
	wantStatus(t, 400, request(t, several, "GET", "/v1/node", header(indexHeader, strings.Repeat("a:1,", maxIndexes+1))))
	if waited != 2 {
		t.Errorf("want both indexes of a list waited for, got %d", waited)
	}
	for range maxWaiting {
		s.waiting <- struct{}{}
	}
	wantStatus(t, 503, request(t, s, "GET", "/v1/node", header(indexHeader, "good")))
}

func TestIndex_everyWriteTellsIt(t *testing.T) {
	f := newFake()
	f.failures = []asset.Failure{{ID: "f1", Key: "a"}}
	s := clustered(t, f, nil, writable(f))
	for _, row := range [][2]string{
		{"PUT", "/v1/assets/a"},
		{"DELETE", "/v1/assets/a"},
		{"POST", "/v1/failed/f1/retry"},
		{"POST", "/v1/hotfolders/inbox/scan"},
		{"POST", "/v1/hotfolders/inbox/pause"},
		{"POST", "/v1/cache/clear"},
		{"POST", "/v1/drain"},
	} {
		if w := request(t, s, row[0], row[1]); w.Code >= 300 || w.Header().Get(indexHeader) == "" {
			t.Errorf("%s %s: want the index, got %d %v", row[0], row[1], w.Code, w.Header())
		}
	}
	b := f.backend()
	b.Index = func() string { return "" } // nothing was told yet
	quiet, err := New(b, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, set := request(t, quiet, "POST", "/v1/hotfolders/inbox/scan").Header()[indexHeader]; set {
		t.Error("want no header without an index")
	}
}
