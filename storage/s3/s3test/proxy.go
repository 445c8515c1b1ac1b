package s3test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// Fate is what becomes of one request. The zero value lets it pass.
type Fate struct {
	// Lose resets the connection; the server never hears of the request.
	Lose bool
	// LoseAnswer resets the connection when the server has answered: it did what was asked.
	LoseAnswer bool
	// Late resets the connection at once; the request goes to the server when this is closed.
	Late <-chan struct{}
	// After takes the whole request in, and sends it on when this is closed, also when its sender has given up by then: so does a server
	// that has everything and is slow.
	After <-chan struct{}
	// Status is answered instead of asking the server; after it, with LoseAnswer.
	Status int
	// Body goes with Status.
	Body string
	// Strip takes these headers away on the way to the server.
	Strip []string
	// CutRequest sends only so many bytes of the body, then cuts the connection to the server; 0 is all.
	CutRequest int64
	// CutAnswer passes only so many bytes of the body on, then resets the connection; 0 is all.
	CutAnswer int64
	// Hold keeps the request, unanswered, until this is closed or its sender gives up; then it is lost.
	Hold <-chan struct{}
	// Slow is waited before the request is passed on.
	Slow time.Duration
	// Lines makes other lines of each line of the answer, as it comes; nil passes all.
	Lines func(line string) []string
}

// Proxy stands between clients and one server. Requests pass while nobody decides otherwise.
type Proxy struct {
	server  *Server
	front   *httptest.Server
	onward  *http.Transport
	waiting sync.WaitGroup // late requests

	mu     sync.Mutex
	decide func(r *http.Request) Fate
	seen   map[string]int
}

// NewProxy makes a proxy that ends with the test.
func NewProxy(t testing.TB, s *Server) *Proxy {
	t.Helper()
	p := &Proxy{server: s, seen: map[string]int{}, onward: &http.Transport{
		DisableCompression: true, ExpectContinueTimeout: time.Second, MaxIdleConnsPerHost: 16,
		IdleConnTimeout: 5 * time.Second, // before the server closes it, which would lose a request that is not repeated
	}}
	p.front = httptest.NewServer(http.HandlerFunc(p.serve))
	t.Cleanup(func() {
		p.front.CloseClientConnections()
		p.front.Close()
		p.waiting.Wait()
		p.onward.CloseIdleConnections()
	})
	return p
}

// URL is the store URL of a prefix in a bucket, through the proxy.
func (p *Proxy) URL(bucket, prefix string) string { return URL(p.front.URL, bucket, prefix) }

// Endpoint is the URL of the proxy.
func (p *Proxy) Endpoint() string { return p.front.URL }

// Decide sets what becomes of the requests from now on; nil lets all pass. It is called by one request at a time.
func (p *Proxy) Decide(decide func(r *http.Request) Fate) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.decide = decide
}

// Cut resets all connections that are open now.
func (p *Proxy) Cut() { p.front.CloseClientConnections() }

// Count is how many requests of a kind came: GET, HEAD, PUT, POST, DELETE, LIST, or all of them with "".
func (p *Proxy) Count(kind string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen[kind]
}

// Counted is Count for a Decide, which must not call that: the request that is decided about is counted.
func (p *Proxy) Counted(kind string) int { return p.seen[kind] }

// Settle waits until the late requests that were let go have been answered.
func (p *Proxy) Settle() { p.waiting.Wait() }

// Reset begins to count again.
func (p *Proxy) Reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.seen)
}

// Kind names a request as Count does.
func Kind(r *http.Request) string {
	query := r.URL.Query()
	if r.Method == http.MethodGet && (query.Has("list-type") || query.Has("versions")) {
		return "LIST"
	}
	return r.Method
}

// Nth is a Decide that gives the n-th request of a kind, counted from 1, a fate, and lets all others pass.
func Nth(n int, kind string, f Fate) func(*http.Request) Fate {
	return func(r *http.Request) Fate {
		if Kind(r) == kind {
			if n--; n == 0 {
				return f
			}
		}
		return Fate{}
	}
}

func (p *Proxy) fate(r *http.Request) Fate {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen[Kind(r)]++
	p.seen[""]++
	if p.decide == nil {
		return Fate{}
	}
	return p.decide(r)
}

func (p *Proxy) serve(w http.ResponseWriter, r *http.Request) {
	f := p.fate(r)
	switch {
	case f.Late != nil:
		p.later(r, f.Late)
		panic(http.ErrAbortHandler)
	case f.Hold != nil:
		select {
		case <-f.Hold:
		case <-r.Context().Done():
		}
		panic(http.ErrAbortHandler)
	case f.Lose:
		panic(http.ErrAbortHandler)
	case f.Status != 0 && !f.LoseAnswer:
		w.WriteHeader(f.Status)
		_, _ = io.WriteString(w, f.Body)
		return
	}
	if f.After != nil {
		p.waiting.Add(1)
		defer p.waiting.Done()
		r = takeIn(r)
		<-f.After
	}
	time.Sleep(f.Slow)
	resp, err := p.ask(r, f)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer resp.Body.Close()
	if f.LoseAnswer {
		lose(w, resp, f.Status)
		return
	}
	for name, values := range resp.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(resp.StatusCode)
	if f.Lines != nil {
		passLines(w, resp.Body, f.Lines)
		return
	}
	pass(w, resp.Body, f.CutAnswer)
}

// passLines passes an answer on, line by line, changed.
func passLines(w http.ResponseWriter, body io.Reader, change func(string) []string) {
	c := http.NewResponseController(w)
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		for _, line := range change(lines.Text()) {
			if _, err := io.WriteString(w, line+"\n"); err != nil {
				panic(http.ErrAbortHandler)
			}
		}
		_ = c.Flush()
	}
}

// lose waits until the server has done what was asked, and tells nobody, or something else.
func lose(w http.ResponseWriter, resp *http.Response, status int) {
	_, _ = io.Copy(io.Discard, resp.Body)
	if status == 0 {
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(status)
}

// pass copies an answer, at once as it comes, up to a cut.
func pass(w http.ResponseWriter, body io.Reader, cut int64) {
	if cut > 0 {
		body = io.LimitReader(body, cut)
	}
	c := http.NewResponseController(w)
	b := make([]byte, 32<<10)
	for {
		n, err := body.Read(b)
		if _, werr := w.Write(b[:n]); werr != nil {
			panic(http.ErrAbortHandler)
		}
		_ = c.Flush()
		if err != nil {
			if err != io.EOF || cut > 0 {
				panic(http.ErrAbortHandler)
			}
			return
		}
	}
}

// ask sends a request on as it is: what it is signed for must not change.
func (p *Proxy) ask(r *http.Request, f Fate) (*http.Response, error) {
	out := r.Clone(r.Context())
	out.URL.Scheme, out.URL.Host = "http", p.server.Addr
	out.RequestURI = ""
	for _, name := range f.Strip {
		out.Header.Del(name)
	}
	if f.CutRequest > 0 {
		out.Body = io.NopCloser(io.MultiReader(io.LimitReader(r.Body, f.CutRequest), brokenReader{}))
	}
	return p.onward.RoundTrip(out)
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// later sends a request on when its sender has long given up.
func (p *Proxy) later(r *http.Request, when <-chan struct{}) {
	whole := takeIn(r)
	p.waiting.Go(func() {
		<-when
		resp, err := p.ask(whole, Fate{})
		if err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
	})
}

// takeIn is a request with all of its body, which does not end with its sender.
func takeIn(r *http.Request) *http.Request {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	whole := r.Clone(context.WithoutCancel(r.Context()))
	whole.Header.Del("Expect")
	whole.Body = io.NopCloser(strings.NewReader(string(body)))
	return whole
}
