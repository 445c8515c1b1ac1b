package node

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"hotfolderd/admin/access"
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
