package admin

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"hotfolderd/asset"
)

// Whatever comes before and after them on a connection, answers that are sent in one piece must be whole and no more.
func TestConn_answersInOnePieceStandInTheirPlaces(t *testing.T) {
	f := newFake()
	sizes := map[string]int{"one.jpg": 1, "few.jpg": 600, "less.jpg": inPieces - 1, "more.jpg": inPieces, "many.jpg": 1 << 20}
	for n := range 24 { // where the buffer of net/http is full, and where it is full again
		sizes[fmt.Sprintf("a%d.jpg", n)], sizes[fmt.Sprintf("b%d.jpg", n)] = 4096-116+n, 8192-116+n
	}
	for name := range sizes {
		f.put(name, "image/jpeg", name, 64)
	}
	b := f.backend()
	b.Sizes = []int{64}
	b.Known = func(name asset.Key) (asset.Record, int, bool) { rec, ok := f.names[name]; return rec, 1, ok }
	b.KnownThumbnail = func(rec asset.Record, _ int, _ string) (KnownThumbnail, bool) {
		return knownAs(bytes.Repeat([]byte(rec.Name[:1]), sizes[string(rec.Name)]), "jpeg"), true
	}
	b.MakeThumbnail = func(context.Context, asset.Record, int, string) (Thumbnail, error) {
		return Thumbnail{}, ErrNoThumbnail
	}
	s, cancel, ended := runningOn(t, b, Options{})
	defer ends(t, cancel, ended)
	c, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var asked strings.Builder
	var want []string
	for _, method := range []string{"GET", "HEAD", "GET"} {
		for name := range sizes {
			asked.WriteString(method + " /v1/assets/" + name + "/thumbnail?size=64 HTTP/1.1\r\nHost: localhost\r\n\r\n")
			want = append(want, method+" "+name)
		}
	}
	go func() { _, _ = io.WriteString(c, asked.String()) }() // all at once: what is held back for one must not come with the next
	r := bufio.NewReader(c)
	for _, ask := range want {
		method, name, _ := strings.Cut(ask, " ")
		res, err := http.ReadResponse(r, &http.Request{Method: method})
		if err != nil {
			t.Fatalf("%s: %v", ask, err)
		}
		got, err := io.ReadAll(res.Body)
		if n := sizes[name]; err != nil || res.StatusCode != 200 || res.ContentLength != int64(n) ||
			method == "GET" && string(got) != strings.Repeat(name[:1], n) {
			t.Fatalf("%s: want 200 with %d bytes, got %s with %d of %d, %v", ask, n, res.Status, len(got), res.ContentLength, err)
		}
	}
}

func TestDeadline_isMovedForWhoWaitsAndNotForLittle(t *testing.T) {
	var d deadline
	var set []time.Time
	move := func(to time.Time) error { set = append(set, to); return nil }
	now := time.Now()
	for _, step := range []struct {
		does string
		do   func() error
		want int // times that it was moved by now
	}{
		{"wanted while nobody waits", func() error { return d.want(now.Add(time.Minute), move) }, 0},
		{"somebody waits", func() error { return d.begin(move) }, 1},
		{"a little later, who waits goes on", func() error { return d.want(now.Add(time.Minute+early/2), move) }, 1},
		{"much later", func() error { return d.want(now.Add(2*time.Minute), move) }, 2},
		{"sooner", func() error { return d.want(now.Add(time.Minute), move) }, 3},
		{"never", func() error { return d.want(time.Time{}, move) }, 4},
		{"over", func() error { return d.want(time.Unix(1, 0), move) }, 5},
		{"nobody waits", func() error { d.end(); return d.want(time.Time{}, move) }, 5},
		{"again", func() error { return d.begin(move) }, 6},
	} {
		if err := step.do(); err != nil || len(set) != step.want {
			t.Errorf("%s: want it moved %d times, got %d: %v, %v", step.does, step.want, len(set), set, err)
		}
	}
	d.end()
	if err := d.want(time.Unix(1, 0), move); err != nil {
		t.Fatal(err)
	}
	if err := d.begin(move); !errors.Is(err, os.ErrDeadlineExceeded) || len(set) != 6 {
		t.Errorf("want who begins after it to be told, and nothing moved, got %v, %d", err, len(set))
	}
}

// net/http ends its own reads by a deadline in the past, and reads on.
func TestConn_aReadIsEndedByItsDeadline(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	client, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	c, err := spare{ln}.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ended := make(chan error, 1)
	go func() { _, err := c.Read(make([]byte, 1)); ended <- err }()
	if err := c.SetReadDeadline(time.Unix(1, 0)); err != nil { // the read may wait already, or begin after it
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("want the read ended, got %v", err)
	}
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Read(make([]byte, 1)); n != 1 || err != nil {
		t.Errorf("want a byte, got %d, %v", n, err)
	}
}

// Headers that net/http does not know of are those that it would have sent.
func TestConn_answersHaveTheHeadersOfOthers(t *testing.T) {
	f := newFake()
	f.put("a.jpg", "image/jpeg", "a", 64)
	b := f.backend()
	b.Sizes = []int{64}
	b.Known = func(name asset.Key) (asset.Record, int, bool) { rec, ok := f.names[name]; return rec, 1, ok }
	b.KnownThumbnail = func(asset.Record, int, string) (KnownThumbnail, bool) {
		return knownAs(bytes.Repeat([]byte("a"), 5000), "jpeg"), true
	}
	b.MakeThumbnail = func(context.Context, asset.Record, int, string) (Thumbnail, error) {
		return Thumbnail{}, ErrNoThumbnail
	}
	s, cancel, ended := runningOn(t, b, Options{})
	defer ends(t, cancel, ended)
	const at = "/v1/assets/a.jpg/thumbnail?size=64"
	tag := request(t, s, "GET", at).Header().Get("ETag")
	for _, row := range []struct {
		method, condition string
		status            int
	}{{"GET", "", 200}, {"HEAD", "", 200}, {"GET", tag, 304}, {"HEAD", tag, 304}} {
		want := request(t, s, row.method, at, func(r *http.Request) { r.Header.Set("If-None-Match", row.condition) }).Header()
		req, err := http.NewRequestWithContext(t.Context(), row.method, "http://"+s.Addr()+at, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("If-None-Match", row.condition)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		res.Header.Del("Date")
		if err != nil || res.StatusCode != row.status || fmt.Sprint(res.Header) != fmt.Sprint(want) {
			t.Errorf("%s %s: want %d %v, got %d %v, %v", row.method, row.condition, row.status, want, res.StatusCode, res.Header, err)
		}
	}
}
