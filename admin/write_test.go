package admin

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

func body(text string) func(*http.Request) { return bodyOf(strings.NewReader(text)) }

func bodyOf(r io.Reader) func(*http.Request) {
	return func(req *http.Request) { req.Body, req.ContentLength = io.NopCloser(r), -1 }
}

// writable lets a fake store and remove.
func writable(f *fake) func(*Backend) {
	return func(b *Backend) {
		b.PutAsset = func(_ context.Context, name asset.Key, r io.Reader, o PutOptions) (asset.Record, int, error) {
			f.wait()
			data, err := io.ReadAll(r)
			if err != nil {
				return asset.Record{}, 0, err
			}
			was, there := f.names[name]
			if err := o.Check(was.Content.Hash, there); err != nil {
				return asset.Record{}, 0, err
			}
			f.put(string(name), "text/plain", string(data))
			return f.names[name], 4, nil
		}
		b.RemoveAsset = func(_ context.Context, name asset.Key) error {
			if _, there := f.names[name]; !there {
				return fs.ErrNotExist
			}
			delete(f.names, name)
			return nil
		}
	}
}

func TestPut_answersVersionTagAndIndex(t *testing.T) {
	f := newFake()
	s := clustered(t, f, nil, writable(f))
	w := request(t, s, "PUT", "/v1/assets/p/a%20b%ff.txt", body("hello"))
	wantStatus(t, http.StatusCreated, w)
	h := asset.Hash(sha256.Sum256([]byte("hello")))
	for k, want := range map[string]string{
		"ETag": `"` + h.String() + `"`, "X-Hotfolder-Version": "4", "X-Hotfolder-Index": "node-a.X:8", "Location": "/v1/assets/p/a%20b%FF.txt",
	} {
		if got := w.Header().Get(k); got != want {
			t.Errorf("%s: want %q, got %q", k, want, got)
		}
	}
	var got storedAsset
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || got != (storedAsset{"p/a b\xff.txt", 4, h, 5, "text/plain"}) {
		t.Errorf("got %+v, %v from %s", got, err, w.Body)
	}
	if got := request(t, s, "GET", w.Header().Get("Location")).Body.String(); got != "hello" {
		t.Errorf("want the bytes back, got %q", got)
	}
	wantStatus(t, http.StatusCreated, request(t, s, "PUT", "/v1/assets/empty"))
	wantStatus(t, http.StatusCreated, request(t, s, "PUT", "/v1/assets/a/thumbnail", body("a name like any other")))
}

func TestWrite_conditions(t *testing.T) {
	f := newFake()
	h := f.put("there", "text/plain", "old")
	tag, other := `"`+h.String()+`"`, `"`+asset.Hash{1}.String()+`"`
	for _, c := range []struct {
		name, header, value string
		want                int
	}{
		{"there", "If-Match", tag, 201},
		{"there", "If-Match", "*", 201},
		{"there", "If-Match", other + " , " + tag, 201},
		{"there", "If-Match", other, 412},
		{"there", "If-Match", `"no hash"`, 412},
		{"there", "If-Match", "W/" + tag, 412},
		{"there", "If-Match", h.String(), 400},
		{"there", "If-Match", tag + tag, 400},
		{"there", "If-Match", `"open`, 400},
		{"there", "If-None-Match", "*", 412},
		{"there", "If-None-Match", tag, 412},
		{"there", "If-None-Match", "W/" + tag, 412},
		{"there", "If-None-Match", other, 201},
		{"there", "If-Unmodified-Since", "Sat, 31 Jan 2026 12:00:00 GMT", 400},
		{"there", "Content-Range", "bytes 0-1/2", 400},
		{"none", "If-Match", "*", 412},
		{"none", "If-Match", tag, 412},
		{"none", "If-None-Match", "*", 201},
	} {
		for _, method := range []string{"PUT", "DELETE"} {
			f := newFake()
			f.put("there", "text/plain", "old")
			read := &counting{r: strings.NewReader("new")}
			w := request(t, clustered(t, f, nil, writable(f)), method, "/v1/assets/"+c.name, header(c.header, c.value), bodyOf(read))
			want := c.want
			switch {
			case method == "DELETE" && want == 201 && c.name == "none":
				want = 404
			case method == "DELETE" && want == 201:
				want = 204
			}
			if w.Code != want {
				t.Errorf("%s %s with %s: %s: want %d, got %d %s", method, c.name, c.header, c.value, want, w.Code, w.Body)
			}
			if want >= 400 && (read.n > 0 || string(f.bytes[f.names["there"].Content.Hash.String()]) != "old") {
				t.Errorf("%s %s with %s: %s: a refused write has done something", method, c.name, c.header, c.value)
			}
		}
	}
}

type counting struct {
	r io.Reader
	n int
}

func (c *counting) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += n
	return n, err
}

func TestPut_theBackendHasTheLastWordOnConditions(t *testing.T) {
	f := newFake()
	s := clustered(t, f, nil, writable(f))
	meanwhile := readerFunc(func([]byte) (int, error) { // another node writes while the body is on its way
		f.put("a", "text/plain", "theirs")
		return 0, io.EOF
	})
	wantStatus(t, 412, request(t, s, "PUT", "/v1/assets/a", header("If-None-Match", "*"), bodyOf(meanwhile)))
}

// TestPut_aRepeatedWriteIsLeftToTheBackend: what it has made of the name itself must not forbid it here already.
func TestPut_aRepeatedWriteIsLeftToTheBackend(t *testing.T) {
	f := newFake()
	f.put("a", "text/plain", "mine")
	var once string
	s := clustered(t, f, nil, func(b *Backend) {
		b.PutAsset = func(_ context.Context, name asset.Key, _ io.Reader, o PutOptions) (asset.Record, int, error) {
			once = o.Once
			return f.names[name], 1, nil
		}
	})
	wantStatus(t, 201, request(t, s, "PUT", "/v1/assets/a", header("If-None-Match", "*"), header(onceHeader, `"word-one"`), body("mine")))
	if once != "word-one" {
		t.Errorf("want the word, got %q", once)
	}
	for _, bad := range []string{"short", "with space", strings.Repeat("x", 65), "ümlaut-word"} {
		wantStatus(t, 400, request(t, s, "PUT", "/v1/assets/a", header(onceHeader, bad), body("mine")))
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

func TestWrite_refusalsHaveTheirStatus(t *testing.T) {
	for _, c := range []struct {
		err  error
		want int
	}{
		{fmt.Errorf("wait: %w", asset.ErrNotNow), 503},
		{fmt.Errorf("no majority: %w", ErrReadOnly), 503},
		{storage.ErrFull, 507},
		{errors.New("broken"), 500},
	} {
		s := clustered(t, newFake(), nil, func(b *Backend) {
			b.PutAsset = func(context.Context, asset.Key, io.Reader, PutOptions) (asset.Record, int, error) {
				return asset.Record{}, 0, c.err
			}
			b.RemoveAsset = func(context.Context, asset.Key) error { return c.err }
		})
		for _, method := range []string{"PUT", "DELETE"} {
			w := request(t, s, method, "/v1/assets/a", body("x"))
			if w.Code != c.want || (c.want == 503) != (w.Header().Get("Retry-After") != "") || w.Header().Get(indexHeader) != "" {
				t.Errorf("%s: %v: want %d, got %d %v", method, c.err, c.want, w.Code, w.Header())
			}
		}
	}
}

func TestWrite_badNamesAndThumbnailsAreRefused(t *testing.T) {
	f := newFake()
	s := clustered(t, f, nil, writable(f))
	for _, target := range []string{"", "../a", "a//b", "a%00", "a/thumbnail?size=256"} {
		for _, method := range []string{"PUT", "DELETE"} {
			wantStatus(t, 400, request(t, s, method, "/v1/assets/"+target, body("x")))
		}
	}
	wantStatus(t, 405, request(t, newServer(t, newFake(), Options{}), "PUT", "/v1/assets/a", body("x")))
}

func TestWrite_needsTheTokenAndItsOwnOrigin(t *testing.T) {
	f := newFake()
	b := f.backend()
	writable(f)(&b)
	s, err := New(b, Options{Token: testToken})
	if err != nil {
		t.Fatal(err)
	}
	bearer := header("Authorization", "Bearer "+testToken)
	for _, method := range []string{"PUT", "DELETE"} {
		wantStatus(t, 401, request(t, s, method, "/v1/assets/a", body("x")))
		wantStatus(t, 403, request(t, s, method, "/v1/assets/a", body("x"), bearer, header("Sec-Fetch-Site", "cross-site")))
	}
	wantStatus(t, 201, request(t, s, "PUT", "/v1/assets/a", body("x"), bearer))
}

func TestRemove_takesTheNameAway(t *testing.T) {
	f := newFake()
	f.put("a", "text/plain", "x")
	s := clustered(t, f, nil, writable(f))
	w := request(t, s, "DELETE", "/v1/assets/a")
	wantStatus(t, http.StatusNoContent, w)
	if w.Header().Get(indexHeader) != "node-a.X:8" || w.Body.Len() != 0 {
		t.Errorf("want the index and no body, got %v %q", w.Header(), w.Body)
	}
	w = request(t, s, "DELETE", "/v1/assets/a")
	wantStatus(t, http.StatusNotFound, w)
	wantText(t, "there is no asset", w)
}

// deadlines remembers what the handler asks of the connection.
type deadlines struct {
	*httptest.ResponseRecorder
	read, write []time.Time
}

func (d *deadlines) SetReadDeadline(t time.Time) error  { d.read = append(d.read, t); return nil }
func (d *deadlines) SetWriteDeadline(t time.Time) error { d.write = append(d.write, t); return nil }

func putSlowly(s *Server, r io.Reader) *deadlines {
	req := httptest.NewRequest("PUT", "http://127.0.0.1/v1/assets/a", r)
	w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
	s.Handler().ServeHTTP(w, req)
	return w
}

func TestPut_mayTakeAsLongAsBytesCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		s := clustered(t, f, nil, writable(f))
		left := 100
		w := putSlowly(s, readerFunc(func(b []byte) (int, error) {
			time.Sleep(readTimeout - time.Second)
			if left--; left < 0 {
				return 0, io.EOF
			}
			return copy(b, "x"), nil
		}))
		if w.Code != 201 || len(f.bytes[f.names["a"].Content.Hash.String()]) != 100 {
			t.Fatalf("want 100 bytes stored after an hour, got %d %s", w.Code, w.Body)
		}
		if len(w.read) < 101 {
			t.Errorf("want a deadline for each read, got %d", len(w.read))
		}
		for i, d := range w.read {
			if last := i == len(w.read)-1; last != d.IsZero() {
				t.Errorf("deadline %d of %d is %v: want each read to have its own, and none after the end", i, len(w.read), d)
			}
		}
		if until := w.write[len(w.write)-1]; until.Before(time.Now().Add(writeTimeout - time.Second)) {
			t.Errorf("want time for the answer, got until %v", until)
		}
	})
}

func TestPut_aStoreThatTakesNothingIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.hang = make(chan struct{})
		s := clustered(t, f, nil, writable(f))
		began := time.Now()
		w := putSlowly(s, strings.NewReader("x"))
		if took := time.Since(began); w.Code != 504 || took > uploadTimeout+time.Second {
			t.Errorf("want 504 soon, got %d after %v", w.Code, took)
		}
		reads := len(w.read)
		close(f.hang)
		synctest.Wait()
		if len(w.read) != reads {
			t.Error("a late read set a deadline on a connection that is somebody else's now")
		}
		if len(f.names) != 0 {
			t.Errorf("want nothing stored by a request that was answered, got %v", f.names)
		}
	})
}

func TestPut_aBodyThatBreaksOffIsTheClientsFault(t *testing.T) {
	f := newFake()
	s := clustered(t, f, nil, writable(f))
	w := request(t, s, "PUT", "/v1/assets/a", bodyOf(io.MultiReader(strings.NewReader("half"), readerFunc(func([]byte) (int, error) {
		return 0, io.ErrUnexpectedEOF
	}))))
	wantStatus(t, 400, w)
	wantText(t, "nothing was stored", w)
	if len(f.names) != 0 {
		t.Error("half a body was stored")
	}
}

func TestPut_uploadsAreBounded(t *testing.T) {
	f := newFake()
	s := clustered(t, f, nil, writable(f))
	for range maxUploads {
		s.uploads <- struct{}{}
	}
	wantStatus(t, 503, request(t, s, "PUT", "/v1/assets/a", body("x")))
	wantStatus(t, 204, request(t, s, "DELETE", "/v1/assets/b", func(*http.Request) { f.put("b", "text/plain", "x") }))
}

func TestPut_streamsOverARealConnection(t *testing.T) {
	f := newFake()
	b := f.backend()
	writable(f)(&b)
	s, err := New(b, Options{})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s.Handler())
	defer srv.Close()
	data := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	req, err := http.NewRequest("PUT", srv.URL+"/v1/assets/big", io.MultiReader(bytes.NewReader(data))) // of unknown length: in chunks
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Expect", "100-continue")
	res, err := srv.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != 201 || !bytes.Equal(f.bytes[f.names["big"].Content.Hash.String()], data) {
		t.Errorf("want all bytes stored, got %s", res.Status)
	}
}

func FuzzConditions(f *testing.F) {
	for _, s := range []string{"*", `"a"`, `W/"a", "b"`, `"` + asset.Hash{1}.String() + `"`, `"a`, ",", `"a",,"b"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		h := http.Header{"If-Match": {value}}
		o, err := conditionsOf(h)
		if err != nil || o.IfMatch == nil {
			return
		}
		if o.IfMatch.Any && len(o.IfMatch.Hashes) > 0 {
			t.Errorf("%q: both any and some", value)
		}
		if o.Check(asset.Hash{}, false) == nil {
			t.Errorf("%q: If-Match holds for a name that is not there", value)
		}
	})
}

// The digest is looked at at every door that stores bytes, and a body that is not as it says is stored nowhere.
func TestWrite_bytesThatAreNotAsTheDigestSaysAreNotStored(t *testing.T) {
	f, kept := newFake(), map[FilePlace]string{}
	s := clustered(t, f, nil, writable(f), filed(f, kept))
	of := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		return "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"
	}
	for _, at := range []string{"/v1/assets/a", "/v1/workarea/a", "/v1/jobs/j1/files/a"} {
		for _, name := range []string{"Repr-Digest", "Content-Digest"} {
			w := request(t, s, "PUT", at, body("hello"), header(name, of("other")))
			wantStatus(t, 400, w)
			wantText(t, "nothing was stored", w)
			wantStatus(t, 400, request(t, s, "PUT", at, body("hello"), header(name, "sha-256=:AAAA:")))
			wantStatus(t, 404, request(t, s, "GET", at))
		}
		wantStatus(t, 201, request(t, s, "PUT", at, body("hello"), header("Repr-Digest", of("hello"))))
	}
}

// What would be forgotten of a request, as how its bytes are encoded, is refused, and so is what would do more than was meant.
func TestWrite_whatCannotBeHeededIsRefused(t *testing.T) {
	f, kept := newFake(), map[FilePlace]string{}
	f.put("a", "text/plain", "bytes")
	s := clustered(t, f, nil, writable(f), filed(f, kept))
	for _, at := range []string{"/v1/assets/b", "/v1/workarea/b", "/v1/jobs/j1/files/b"} {
		w := request(t, s, "PUT", at, body("hello"), header("Content-Encoding", "gzip"))
		wantStatus(t, 400, w)
		wantText(t, "Content-Encoding cannot be used", w)
	}
	for _, query := range []string{"?version=1", "?versions", "?metadata"} {
		w := request(t, s, "DELETE", "/v1/assets/a"+query)
		wantStatus(t, 400, w)
		wantText(t, "with all its versions", w)
		wantStatus(t, 400, request(t, s, "PUT", "/v1/assets/a"+query, body("hello")))
	}
	if w := request(t, s, "GET", "/v1/assets/a"); w.Body.String() != "bytes" {
		t.Errorf("want the name as it was, got %d %s", w.Code, w.Body)
	}
}
