package consul

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// The moment that a renewal counts from is before it was sent, and of the try that was answered.
func TestRenewSession_countsFromTheAnsweredTry(t *testing.T) {
	t.Parallel()
	const late = 100 * time.Millisecond
	var arrived time.Time
	answer := func(w http.ResponseWriter, _ *http.Request) {
		arrived = time.Now()
		time.Sleep(late)
		_, _ = w.Write([]byte(`[{"ID":"s"}]`))
	}
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer silent.Close()
	good := httptest.NewServer(http.HandlerFunc(answer))
	defer good.Close()
	conn, err := Dial(Config{Addresses: []string{silent.URL, good.URL}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	begin := time.Now()
	const timeout = 4 * late
	sent, known, err := conn.renewSession(t.Context(), "s", timeout)
	if err != nil || !known {
		t.Fatal(known, err)
	}
	if sent.After(arrived) || sent.Before(begin.Add(timeout)) {
		t.Fatalf("the second try arrived after %v, and counts from %v", arrived.Sub(begin), sent.Sub(begin))
	}
}
