package node

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"hotfolderd/admin"
	"hotfolderd/admin/access"
	"hotfolderd/asset"
)

// A node that knows only one of the tokens is told by that one, and by no other from then on; one that knows none is told of in the
// log once.
func TestHints_showTheTokensThatTheOtherNodeMayKnow(t *testing.T) {
	var mu sync.Mutex
	var shown []string
	known := "Bearer new"
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		shown = append(shown, r.Header.Get("Authorization"))
		if shown[len(shown)-1] != known {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	defer other.Close()
	core, logged := observer.New(zapcore.WarnLevel)
	n := &Node{log: zap.New(core), tokens: func() access.Tokens { return access.Tokens{"old", "new"} }}
	p := &hintPeer{s: &hintSender{n: n, client: other.Client()}, address: other.Listener.Addr().String()}
	tell := func(good bool, want ...string) {
		t.Helper()
		shown = nil
		if err := p.tell(t.Context(), []hint{{}}); (err == nil) != good || !slices.Equal(shown, want) {
			t.Errorf("want taken %v with %q shown, got %v, %q", good, want, err, shown)
		}
	}
	tell(true, "Bearer old", "Bearer new")
	tell(true, "Bearer new")
	known = "Bearer none of them"
	tell(false, "Bearer new", "Bearer old")
	tell(false, "Bearer new", "Bearer old")
	if logged.Len() != 1 {
		t.Errorf("want one line, got %v", logged.All())
	}
	known = "Bearer old"
	tell(true, "Bearer new", "Bearer old")
	tell(true, "Bearer old")
}

// What one node has seen of another's drop proves nothing to that: neither one that knows what it means nor an older one takes it for whole.
func TestHints_ofWhatWasSeenOnlyProveNothing(t *testing.T) {
	o := options(t, t.TempDir(), rule("inbox"))
	r := start(t, o)
	within(t, soon, "active", func() bool { return r.State() == "active" })
	teller := &Node{hints: newHints()}
	teller.tellSeen("inbox", "new")
	seen := (<-teller.hints.out).Heard
	for name, hear := range map[asset.Key]func(admin.Heard){
		"new":   r.hear,
		"older": func(h admin.Heard) { r.room.Known(h.Hotfolder, h.Key, h.Version, h.Door) },
	} {
		write(t, r.inbox(string(name)), []byte("no format proves this"))
		seen.Key = name
		hear(seen)
		within(t, soon, "imported", func() bool { return r.last(name).Result == asset.Imported })
		if e := r.last(name); !strings.HasPrefix(e.Settled, "quiet") {
			t.Errorf("%s: want it taken when it is quiet, got %s", name, e.Settled)
		}
	}
}
