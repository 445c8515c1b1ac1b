package admin

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hotfolderd/asset"
)

// running is a server that listens, ended and joined with the test.
func running(t *testing.T, f *fake, o Options) (*Server, context.CancelFunc, <-chan error) {
	t.Helper()
	return runningOn(t, f.backend(), o)
}

func runningOn(t *testing.T, b Backend, o Options) (*Server, context.CancelFunc, <-chan error) {
	t.Helper()
	o.Listen = "127.0.0.1:0"
	s, err := New(b, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	return s, cancel, ended
}

func ends(t *testing.T, cancel context.CancelFunc, ended <-chan error) {
	t.Helper()
	cancel()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("Run: %v", err)
		}
	case <-time.After(3 * time.Second):
		t.Fatal("Run did not end although nothing but streams was open")
	}
}

func follow(t *testing.T, url, last string) (*bufio.Scanner, func()) {
	t.Helper()
	req, err := http.NewRequest("GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	tr := &http.Transport{}
	resp, err := (&http.Client{Transport: tr}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if got := resp.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Fatalf("want an event stream, got %q", got)
	}
	return bufio.NewScanner(resp.Body), func() { _ = resp.Body.Close(); tr.CloseIdleConnections() }
}

// next reads one event: its id and its key.
func next(t *testing.T, sc *bufio.Scanner) (string, asset.Key) {
	t.Helper()
	id := ""
	for sc.Scan() {
		if v, ok := strings.CutPrefix(sc.Text(), "id: "); ok {
			id = v
		}
		if v, ok := strings.CutPrefix(sc.Text(), "data: "); ok {
			var e Event
			if err := json.Unmarshal([]byte(v), &e); err != nil {
				t.Fatalf("event %q: %v", v, err)
			}
			if fmt.Sprint(e.ID) != id {
				t.Errorf("want the id in the data too: %s, got %d", id, e.ID)
			}
			return id, e.Key
		}
	}
	t.Fatal("the stream ended")
	return "", ""
}

func TestEvents_resumeWhereTheReaderWas(t *testing.T) {
	f := newFake()
	s, cancel, ended := running(t, f, Options{})
	url := "http://" + s.Addr() + "/v1/events"
	f.feed.Publish(asset.Event{Key: "one\ntwo"})
	sc, closeIt := follow(t, url, "")
	id, key := next(t, sc)
	if key != "one\ntwo" {
		t.Errorf("want the event before we came, got %q", key)
	}
	f.feed.Publish(asset.Event{Key: "live"})
	if _, key := next(t, sc); key != "live" {
		t.Errorf("want the live event, got %q", key)
	}
	closeIt()
	f.feed.Publish(asset.Event{Key: "missed"})
	sc, closeIt = follow(t, url, id)
	for _, want := range []asset.Key{"live", "missed"} {
		if _, key := next(t, sc); key != want {
			t.Errorf("want %q after coming back, got %q", want, key)
		}
	}
	ends(t, cancel, ended)
	if sc.Scan() && sc.Text() != "" {
		t.Errorf("want the stream ended with the server, got %q", sc.Text())
	}
	closeIt()
}

func TestEvents_badIDIsRefused(t *testing.T) {
	s := newServer(t, newFake(), Options{})
	wantStatus(t, 400, request(t, s, "GET", "/v1/events", header("Last-Event-ID", "x")))
	wantStatus(t, 400, request(t, s, "GET", "/v1/events?after=-1"))
}

func TestEvents_placesAreBounded(t *testing.T) {
	s := newServer(t, newFake(), Options{})
	for range maxStreams {
		s.streams <- struct{}{}
	}
	wantStatus(t, http.StatusServiceUnavailable, request(t, s, "GET", "/v1/events"))
}

func TestEvents_deadClientFreesItsPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe() // nobody reads: every write blocks until its deadline
		f := newFake()
		s := newServer(t, f, Options{})
		w := &pipeWriter{conn: server, h: http.Header{}}
		r, err := http.NewRequestWithContext(t.Context(), "GET", "http://localhost/v1/events", nil)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		s.Handler().ServeHTTP(w, r)
		if took := time.Since(began); took != eventWrite {
			t.Errorf("want the stream given up after %s, took %s", eventWrite, took)
		}
		if len(s.streams) != 0 {
			t.Error("the place is still taken")
		}
		_, _ = client.Close(), server.Close()
	})
}

// pipeWriter is a ResponseWriter over a connection, with its deadlines.
type pipeWriter struct {
	conn net.Conn
	h    http.Header
}

func (p *pipeWriter) Header() http.Header                { return p.h }
func (p *pipeWriter) WriteHeader(int)                    {}
func (p *pipeWriter) Write(b []byte) (int, error)        { return p.conn.Write(b) }
func (p *pipeWriter) FlushError() error                  { return nil }
func (p *pipeWriter) SetWriteDeadline(t time.Time) error { return p.conn.SetWriteDeadline(t) }

func TestEvents_quietStreamHasAHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		s := newServer(t, newFake(), Options{})
		ctx, cancel := context.WithCancel(t.Context())
		r, err := http.NewRequestWithContext(ctx, "GET", "http://localhost/v1/events", nil)
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() { defer close(done); s.Handler().ServeHTTP(&pipeWriter{conn: server, h: http.Header{}}, r) }()
		sc := bufio.NewScanner(client)
		began := time.Now()
		for sc.Scan() && !strings.HasPrefix(sc.Text(), ":") {
		}
		if took := time.Since(began); took != heartbeat {
			t.Errorf("want a heartbeat after %s, took %s", heartbeat, took)
		}
		go func() { // whatever is still written
			for sc.Scan() {
			}
		}()
		cancel()
		<-done
		_, _ = client.Close(), server.Close()
	})
}

func TestFeed_slowReaderIsCutOffAndNobodyWaits(t *testing.T) {
	f := NewFeed(4)
	slow := f.Subscribe(t.Context(), 0)
	for i := range slack + 10 {
		f.Publish(asset.Event{Key: asset.Key(fmt.Sprint(i))})
	}
	n := 0
	for range slow {
		n++
	}
	if n != slack {
		t.Errorf("want %d events and then the end, got %d", slack, n)
	}
}

func TestFeed_contextEndsTheChannel(t *testing.T) {
	f := NewFeed(4)
	ctx, cancel := context.WithCancel(t.Context())
	ch := f.Subscribe(ctx, 0)
	cancel()
	select {
	case _, ok := <-ch:
		if ok {
			t.Error("want no event")
		}
	case <-time.After(5 * time.Second):
		t.Fatal("the channel stayed open")
	}
	f.Publish(asset.Event{Key: "after"}) // sends to nobody, and not to a closed channel
}

func TestFeed_ringKeepsTheNewest(t *testing.T) {
	f := NewFeed(3)
	for i := range 5 {
		f.Publish(asset.Event{Key: asset.Key(fmt.Sprint("i", i)), Result: asset.Imported})
	}
	for range 10 {
		f.Publish(asset.Event{Key: "x", Result: asset.Ignored})
	}
	got := f.Recent(10)
	if len(got) != 3 || got[0].Key != "i4" || got[2].Key != "i2" {
		t.Errorf("want i4, i3, i2 although others were ignored since, got %v", got)
	}
	if got := f.Recent(1); len(got) != 1 || got[0].Key != "i4" {
		t.Errorf("want the newest alone, got %v", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ch := f.Subscribe(ctx, 0)
	first := <-ch
	if second := <-ch; second.ID != first.ID+1 {
		t.Errorf("want ids in order, got %d, %d", first.ID, second.ID)
	}
	if from := f.Subscribe(ctx, first.ID); (<-from).ID != first.ID+1 {
		t.Error("want what came after the id")
	}
	if all := f.Subscribe(ctx, 1<<62); (<-all).ID != first.ID {
		t.Error("an id from the future is not ours: want everything")
	}
}
