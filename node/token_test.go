package node

import (
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"hotfolderd/config"
)

// A token that changes counts without a start; one that could be guessed does not, and the one before it stays.
func TestToken_isReadAgainWhenItsFileChanges(t *testing.T) {
	o := options(t, t.TempDir(), rule("inbox"))
	o.Settings.Node.Roles = append(o.Settings.Node.Roles, config.RoleWeb)
	o.Settings.HTTP.Listen = "127.0.0.1:0"
	o.Settings.HTTP.TokenFile = filepath.Join(t.TempDir(), "token")
	write(t, o.Settings.HTTP.TokenFile, []byte("the-token-at-first\n"))
	r := start(t, o)
	within(t, 20*time.Second, "active", func() bool { return r.State() == "active" })
	let := func(token string) bool {
		t.Helper()
		q, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+r.Addr()+"/v1/node", nil)
		if err != nil {
			t.Fatal(err)
		}
		q.Header.Set("Authorization", "Bearer "+token)
		a, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		_ = a.Body.Close()
		return a.StatusCode == http.StatusOK
	}
	if !let("the-token-at-first") {
		t.Fatal("want the token of the start accepted")
	}
	write(t, o.Settings.HTTP.TokenFile, []byte("the-second-token"))
	within(t, 20*time.Second, "the old token counts no more", func() bool { return !let("the-token-at-first") })
	if !let("the-second-token") {
		t.Error("want the new token accepted")
	}
	if want, got := "the-second-token", r.tokens().First(); want != got {
		t.Errorf("want %q shown to the other nodes, got %q", want, got)
	}

	write(t, o.Settings.HTTP.TokenFile, []byte("guessed"))
	time.Sleep(1100 * time.Millisecond) // it is looked at once a second
	if let("guessed") || !let("the-second-token") {
		t.Error("want the token before the bad one to stay")
	}
}
