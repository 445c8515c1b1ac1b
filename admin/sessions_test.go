package admin

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

func saying(text string) func(*http.Request) {
	return func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(text)) }
}

func sessionServer(t *testing.T, change func(*Backend)) *Server {
	t.Helper()
	b := newFake().backend()
	change(&b)
	s, err := New(b, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSessions_areListedAndEnded(t *testing.T) {
	s := sessionServer(t, func(b *Backend) {
		b.Sessions = func() []Session { return []Session{{ID: "s1", User: "cam", Address: "10.0.0.7", Doing: "upload"}} }
		b.EndSession = func(id string) bool { return id == "s1" }
	})
	if w := request(t, s, "GET", "/v1/sessions"); w.Code != 200 || !strings.Contains(w.Body.String(), `"sessions":[{"id":"s1","user":"cam"`) {
		t.Errorf("want the session, got %d %s", w.Code, w.Body)
	}
	for id, want := range map[string]int{"s1": 200, "s2": 404} {
		if w := request(t, s, "POST", "/v1/sessions/"+id+"/end"); w.Code != want {
			t.Errorf("end %s: want %d, got %d", id, want, w.Code)
		}
	}
}

func TestHeard_isToldAndChecked(t *testing.T) {
	var got []Heard
	s := sessionServer(t, func(b *Backend) { b.Heard = func(h []Heard) { got = append(got, h...) } })
	if w := request(t, s, "POST", "/v1/heard", saying(`[{"hotfolder":"inbox","key":"a/b","version":"v","door":"ftp"}]`)); w.Code != 202 {
		t.Errorf("want 202, got %d %s", w.Code, w.Body)
	}
	if want := (Heard{"inbox", "a/b", "v", "ftp"}); len(got) != 1 || got[0] != want {
		t.Errorf("want %v, got %v", want, got)
	}
	for _, bad := range []string{"", "{}", `[{"key":"../a"}]`, "[" + strings.Repeat(`{"key":"a"},`, MaxHeard) + `{"key":"a"}]`} {
		if w := request(t, s, "POST", "/v1/heard", saying(bad)); w.Code != 400 || len(got) != 1 {
			t.Errorf("%.40s: want 400 and nothing told, got %d", bad, w.Code)
		}
	}
}
