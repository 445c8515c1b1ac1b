package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"hotfolderd/asset"
)

// TestNeedsNothingOfTheServer: who imports the client gets the standard library and the values of the package asset.
func TestNeedsNothingOfTheServer(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	if want, got := "hotfolderd/asset\nhotfolderd/client", strings.TrimSpace(string(out)); want != got {
		t.Errorf("want %q, got %q", want, got)
	}
}

func TestNew_addresses(t *testing.T) {
	for _, row := range []struct{ in, want string }{
		{"10.0.0.1:8480", "http://10.0.0.1:8480"},
		{"http://[::1]:8480/", "http://[::1]:8480"},
		{"https://files.example", "https://files.example"},
	} {
		got, err := seedsOf([]string{row.in, " " + row.in})
		if err != nil || !slices.Equal(got, []string{row.want}) {
			t.Errorf("%s: want %s, got %v, %v", row.in, row.want, got, err)
		}
	}
	for _, bad := range []string{"", "host", "ftp://host:1", "host:1/path", "http://a@host:1", "http://host:1?x=1", "http://host", ":8480"} {
		if got, err := seedsOf([]string{bad}); err == nil {
			t.Errorf("%q: want it refused, got %v", bad, got)
		}
	}
	if _, err := New(nil, Options{}); err == nil {
		t.Error("want no client without an address")
	}
}

func TestPutGet_theBytesComeBack(t *testing.T) {
	p := play(t, 2)
	c := p.client(Options{})
	got, err := c.Put(t.Context(), "a b/ü.txt", strings.NewReader("hello"), PutOptions{})
	if err != nil || got.Number != 1 || got.Size != 5 || got.Index == "" {
		t.Fatalf("got %+v, %v", got, err)
	}
	r, err := c.Get(t.Context(), "a b/ü.txt")
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil || string(text) != "hello" || r.Info().Hash != got.Hash || r.Info().Number != 1 {
		t.Errorf("got %q, %+v, %v", text, r.Info(), err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if i, err := c.Stat(t.Context(), "a b/ü.txt"); err != nil || i != r.Info() {
		t.Errorf("want what the reader told, %+v, got %+v, %v", r.Info(), i, err)
	}
	if _, err := c.Put(t.Context(), "../evil", strings.NewReader("x"), PutOptions{}); !errors.Is(err, asset.ErrKey) {
		t.Errorf("want the name refused here, got %v", err)
	}
	if _, err := c.Put(t.Context(), "empty", strings.NewReader(""), PutOptions{}); err != nil {
		t.Error(err)
	}
}

func TestErrors_areKinds(t *testing.T) {
	p := play(t, 1)
	c := p.client(Options{Patience: time.Millisecond})
	if _, err := c.Get(t.Context(), "none"); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "there is no asset none") {
		t.Errorf("want it not there, in the node's words, got %v", err)
	}
	if _, err := c.Stat(t.Context(), "none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("want it not there, got %v", err)
	}
	for status, kind := range map[int]error{
		400: ErrRequest, 401: fs.ErrPermission, 403: fs.ErrPermission, 409: fs.ErrExist, 412: ErrCondition, 413: ErrFull, 507: ErrFull, 503: ErrNotNow, 504: ErrNotNow,
	} {
		p.set(func() {
			p.nodes[0].before = func(w http.ResponseWriter, _ *http.Request) bool { problem(w, status, "because"); return true }
		})
		_, err := p.client(Options{Patience: time.Millisecond}).Put(t.Context(), "a", strings.NewReader("x"), PutOptions{})
		var told *Error
		if !errors.Is(err, kind) || !errors.As(err, &told) || told.Detail != "because" || told.Status != status {
			t.Errorf("%d: want %v, got %v", status, kind, err)
		}
		if errors.Is(err, ErrReadOnly) {
			t.Errorf("%d: want it told only of a node that is read-only, got %v", status, err)
		}
		if want := status == 503 || status == 504; errors.Is(err, ErrNoNode) != want {
			t.Errorf("%d: want no node to be the reason: %v, got %v", status, want, err)
		}
	}
}

func TestPut_conditions(t *testing.T) {
	p := play(t, 1)
	c := p.client(Options{})
	one, err := c.Put(t.Context(), "a", strings.NewReader("one"), PutOptions{IfAbsent: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Put(t.Context(), "a", strings.NewReader("two"), PutOptions{IfAbsent: true}); !errors.Is(err, ErrCondition) {
		t.Errorf("want the condition told, got %v", err)
	}
	if _, err := c.Put(t.Context(), "a", strings.NewReader("two"), PutOptions{IfMatch: one.Hash}); err != nil {
		t.Error(err)
	}
	if _, err := c.Put(t.Context(), "a", strings.NewReader("three"), PutOptions{IfMatch: one.Hash}); !errors.Is(err, ErrCondition) {
		t.Errorf("want the condition told, got %v", err)
	}
}

// TestPut_aLostAnswerIsOneVersion also when the write was allowed only as long as the name was free.
func TestPut_aLostAnswerIsOneVersion(t *testing.T) {
	for _, size := range []int{0, 5, 3 << 20} {
		p := play(t, 2)
		p.nodes[0].after = abort
		p.nodes[1].state = "" // known after the first is gone
		c, err := New([]string{p.nodes[0].srv.URL, p.nodes[1].srv.URL}, Options{Fixed: true})
		if err != nil {
			t.Fatal(err)
		}
		c.fleet.current, c.fleet.used = p.nodes[0].srv.URL, time.Now()
		p.nodes[1].state = "active"
		data := bytes.Repeat([]byte("x"), size)
		got, err := c.Put(t.Context(), "a", bytes.NewReader(data), PutOptions{IfAbsent: true})
		if err != nil || got.Number != 1 || p.number["a"] != 1 {
			t.Errorf("%d bytes: want one version, got %+v, %v, %d", size, got, err, p.number["a"])
		}
		if len(p.nodes[0].asked) == 0 || len(p.nodes[1].asked) == 0 {
			t.Errorf("want both asked, got %v and %v", p.nodes[0].asked, p.nodes[1].asked)
		}
		c.Close()
	}
}

func TestPut_aSourceThatFailsIsNoNodesFault(t *testing.T) {
	p := play(t, 2)
	broken := errors.New("bad sector")
	_, err := p.client(Options{}).Put(t.Context(), "a", &failing{*strings.NewReader(strings.Repeat("x", 1<<20)), broken}, PutOptions{})
	if !errors.Is(err, broken) || errors.Is(err, ErrNoNode) || p.number["a"] != 0 {
		t.Errorf("want the source's error and nothing stored, got %v", err)
	}
}

type failing struct {
	strings.Reader
	err error
}

func (f *failing) Read(b []byte) (int, error) {
	if f.Len() < 1<<19 {
		return 0, f.err
	}
	return f.Reader.Read(b[:min(len(b), 4096)])
}

func TestPut_progressBeginsAnew(t *testing.T) {
	p := play(t, 1)
	var told []int64
	_, err := p.client(Options{}).Put(t.Context(), "a", strings.NewReader("hello"), PutOptions{Progress: func(n int64) { told = append(told, n) }})
	if err != nil || len(told) == 0 || told[len(told)-1] != 5 {
		t.Errorf("want the end told, got %v, %v", told, err)
	}
}

// TestGet_goesOnAtAnotherNode although every node breaks off again and again.
func TestGet_goesOnAtAnotherNode(t *testing.T) {
	p := play(t, 3)
	data := make([]byte, 1<<20)
	for i := range data {
		data[i] = byte(i * i >> 7)
	}
	p.assets["a"] = data
	for _, n := range p.nodes {
		n.cut = 300_000
	}
	r, err := p.client(Options{}).Get(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(got, data) {
		t.Errorf("want the bytes, got %d, %v", len(got), err)
	}
}

func TestGet_isOfOneVersionThoughTheNameGoesOn(t *testing.T) {
	p := play(t, 1)
	p.assets["a"] = bytes.Repeat([]byte("x"), 1000)
	p.nodes[0].cut = 500
	r, err := p.client(Options{}).Get(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := io.ReadFull(r, make([]byte, 400)); err != nil {
		t.Fatal(err)
	}
	p.set(func() { p.assets["a"] = bytes.Repeat([]byte("y"), 1000) })
	if got, err := io.ReadAll(r); err != nil || string(got) != strings.Repeat("x", 600) {
		t.Errorf("want the rest of what was begun, got %d bytes, %v", len(got), err)
	}
}

func TestGet_wrongBytesAreTold(t *testing.T) {
	p := play(t, 1)
	p.assets["a"] = []byte("right")
	p.nodes[0].before = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/v1/assets/a" {
			w.Header().Set("ETag", `"`+strings.Repeat("ab", 32)+`"`)
			fmt.Fprint(w, "wrong")
			return true
		}
		return false
	}
	r, err := p.client(Options{}).Get(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := io.ReadAll(r); !errors.Is(err, ErrCorrupt) {
		t.Errorf("want it told, got %v", err)
	}
}

func TestGet_fromTheStoreItselfWithoutTheToken(t *testing.T) {
	p, store := play(t, 1), play(t, 1)
	p.assets["a"] = []byte("far away")
	var shown []string
	store.nodes[0].before = func(w http.ResponseWriter, r *http.Request) bool {
		shown = append(shown, r.Header.Get("Authorization"))
		fmt.Fprint(w, "far away")
		return true
	}
	p.nodes[0].before = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/v1/assets/a" {
			return false
		}
		w.Header().Set("ETag", `"`+asset.Hash(hashOf("far away")).String()+`"`)
		w.Header().Set("Location", store.nodes[0].srv.URL+"/bucket")
		w.WriteHeader(http.StatusTemporaryRedirect)
		return true
	}
	read := func() string {
		r, err := p.client(Options{Token: "secret"}).Get(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		text, err := io.ReadAll(r)
		if err != nil {
			t.Error(err)
		}
		return string(text)
	}
	if got := read(); got != "far away" || !slices.Equal(shown, []string{""}) {
		t.Errorf("want the bytes, and no token shown, got %q, %q", got, shown)
	}
	store.nodes[0].srv.Close()
	if got := read(); got != "far away" {
		t.Errorf("want a node to send them when the store does not, got %q", got)
	}
}

func TestIndexes_areCarriedAlong(t *testing.T) {
	p := play(t, 2)
	c := p.client(Options{})
	if _, err := c.Put(t.Context(), "a", strings.NewReader("1"), PutOptions{}); err != nil {
		t.Fatal(err)
	}
	first := p.at(c.fleet.current)
	p.set(func() { first.state = "draining" })
	c.fleet.asked = time.Time{}
	if _, err := c.Put(t.Context(), "a", strings.NewReader("2"), PutOptions{}); err != nil {
		t.Fatal(err)
	}
	second := p.at(c.fleet.current)
	if second == first {
		t.Fatal("want it moved on from a node that drains")
	}
	if _, err := c.Stat(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	want := "HEAD " + first.id + ".X:1, " + second.id + ".X:2"
	if got := second.asked[len(second.asked)-1]; got != want {
		t.Errorf("want %q, got %q", want, got)
	}
	other := p.client(Options{})
	other.Follow(c.Index())
	if want, got := c.Index(), other.Index(); want != got {
		t.Errorf("want %q, got %q", want, got)
	}
}

func TestIndexes_onlyGrowAndAreBounded(t *testing.T) {
	var i indexes
	for n := range maxIndexes + 3 {
		i.saw(fmt.Sprintf("node.%d:%d", n, 5))
	}
	i.saw("node.9:3")
	i.saw("nonsense")
	i.saw("node.9:x")
	got := strings.Split(i.header(), ", ")
	if len(got) != maxIndexes || got[0] != "node.3:5" || !slices.Contains(got, "node.9:5") {
		t.Errorf("got %q", got)
	}
}

func TestUnready_aNodeIsLeftForAnother(t *testing.T) {
	p := play(t, 3)
	var moves []Move
	c := p.client(Options{Moved: func(m Move) { moves = append(moves, m) }})
	put := func() *playedNode {
		t.Helper()
		if _, err := c.Put(t.Context(), "a", strings.NewReader("x"), PutOptions{}); err != nil {
			t.Fatal(err)
		}
		return p.at(c.fleet.current)
	}
	first := put()
	for range 20 {
		if put() != first {
			t.Fatal("want it to stay")
		}
	}
	p.set(func() { first.state = "read-only" }) // and nobody has told the client yet
	second := put()
	if second == first || len(moves) != 2 || moves[1].From != first.srv.URL || moves[1].Why == nil {
		t.Errorf("want one move with its reason, got %+v", moves)
	}
	second.srv.Close()
	if third := put(); third == first || third == second {
		t.Errorf("want the only one that is left, got %s", third.id)
	}
}

func TestRemove_aLostAnswerIsNotAMissingName(t *testing.T) {
	p := play(t, 2)
	p.assets["a"] = []byte("x")
	for _, n := range p.nodes {
		n.after = abort
	}
	c := p.client(Options{})
	if err := c.Remove(t.Context(), "a"); err != nil || len(p.assets) > 0 {
		t.Errorf("want it removed, got %v", err)
	}
	if err := c.Remove(t.Context(), "a"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("want it told that there is none, got %v", err)
	}
}

// TestSilent_aStoppedNodeIsLeft: it takes connections and answers nothing.
func TestSilent_aStoppedNodeIsLeft(t *testing.T) {
	p := play(t, 2)
	c := p.client(Options{})
	if _, err := c.Put(t.Context(), "a", strings.NewReader("x"), PutOptions{}); err != nil {
		t.Fatal(err)
	}
	first := p.at(c.fleet.current)
	stopped := make(chan struct{})
	defer close(stopped)
	p.set(func() { first.before = func(http.ResponseWriter, *http.Request) bool { <-stopped; return true } })
	if _, err := c.Put(t.Context(), "a", strings.NewReader("y"), PutOptions{}); err != nil || p.number["a"] != 2 {
		t.Errorf("want it done elsewhere, got %v", err)
	}
}

func TestPatience_endsWithTheReason(t *testing.T) {
	p := play(t, 2)
	for _, n := range p.nodes {
		n.state = "joining"
	}
	_, err := p.client(Options{Patience: 500 * time.Millisecond}).Put(t.Context(), "a", strings.NewReader("x"), PutOptions{})
	if !errors.Is(err, ErrNoNode) || !errors.Is(err, ErrNotNow) || !strings.Contains(err.Error(), "this node is joining") {
		t.Errorf("want the reason, got %v", err)
	}
	for _, n := range p.nodes {
		n.srv.Close()
	}
	ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errors.New("enough"))
	defer cancel()
	_, err = p.client(Options{Patience: time.Hour}).Put(ctx, "a", strings.NewReader("x"), PutOptions{})
	if err == nil || !strings.Contains(err.Error(), "enough") || !strings.Contains(err.Error(), "refused") {
		t.Errorf("want the context's end and the last reason, got %v", err)
	}
}
