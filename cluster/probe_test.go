package cluster

import (
	"bufio"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func TestAsk(t *testing.T) {
	t.Parallel()
	answering := func(h http.HandlerFunc) func(t *testing.T) string {
		return func(t *testing.T) string {
			s := httptest.NewServer(h)
			t.Cleanup(s.Close)
			return s.Listener.Addr().String()
		}
	}
	listening := func(serve func(net.Conn)) func(t *testing.T) string {
		return func(t *testing.T) string {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			done := make(chan struct{})
			t.Cleanup(func() { _ = l.Close(); <-done })
			go func() {
				defer close(done)
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					serve(c)
				}
			}()
			return l.Addr().String()
		}
	}
	reset := func(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0); _ = c.Close() }
	for _, row := range []struct {
		name string
		at   func(t *testing.T) string
		want answer
		seen string
	}{
		{"it answers", answering(func(w http.ResponseWriter, r *http.Request) { w.Header().Set(InstanceHeader, "a.1") }), alive, "a.1"},
		{"it answers that it is not well", answering(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set(InstanceHeader, "a.1")
			w.WriteHeader(http.StatusServiceUnavailable)
		}), alive, "a.1"},
		{"another instance", answering(func(w http.ResponseWriter, r *http.Request) { w.Header().Set(InstanceHeader, "a.2") }), gone, "a.2"},
		{"another program, or a proxy", answering(http.NotFound), silent, ""},
		{"a redirect is not followed", answering(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/livez" {
				http.Redirect(w, r, "/other", http.StatusFound)
				return
			}
			w.Header().Set(InstanceHeader, "a.1")
		}), silent, ""},
		{"nobody listens", func(t *testing.T) string {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			return l.Addr().String()
		}, gone, ""},
		{"it resets", listening(reset), gone, ""},
		{"it hangs up", listening(func(c net.Conn) {
			_, _ = http.ReadRequest(bufio.NewReader(c))
			_ = c.Close()
		}), gone, ""},
		{"it says nothing", answering(func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }), silent, ""},
		{"no address", func(*testing.T) string { return "" }, silent, ""},
		{"no such host", func(*testing.T) string { return "does-not-exist.invalid:1" }, silent, ""},
		{"a bad address", func(*testing.T) string { return "a b%" }, silent, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := newProber(ProbeOptions{Timeout: 300 * time.Millisecond}.withDefaults())
			defer p.close()
			if got, seen := p.ask(t.Context(), row.at(t), "a.1"); got != row.want || seen != row.seen {
				t.Errorf("want %v, %q, got %v, %q", row.want, row.seen, got, seen)
			}
		})
	}
}

func TestAsk_keepsItsConnection(t *testing.T) {
	t.Parallel()
	conns := make(chan struct{}, 100)
	s := httptest.NewUnstartedServer(&livez{instance: "a.1"})
	s.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			conns <- struct{}{}
		}
	}
	s.Start()
	defer s.Close()
	p := newProber(ProbeOptions{}.withDefaults())
	defer p.close()
	for range 20 {
		if got, _ := p.ask(t.Context(), s.Listener.Addr().String(), "a.1"); got != alive {
			t.Fatal("want it alive, got", got)
		}
	}
	if len(conns) != 1 {
		t.Errorf("want one connection, got %d", len(conns))
	}
}
