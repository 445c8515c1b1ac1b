package s3_test

import (
	"net/http"
	"strings"
	"testing"

	"hotfolderd/asset"
	"hotfolderd/storage"
	"hotfolderd/storage/s3"
	"hotfolderd/storage/s3/s3test"
	"hotfolderd/storage/storagetest"
)

// Servers that do not look at a condition are made by taking it away on its way.
func strip(method string, has func(*http.Request) bool, headers ...string) func(*http.Request) s3test.Fate {
	return func(r *http.Request) s3test.Fate {
		if r.Method == method && (has == nil || has(r)) {
			return s3test.Fate{Strip: headers}
		}
		return s3test.Fate{}
	}
}

func TestOpen_refusesWhatTheServerDoesNotKeep(t *testing.T) {
	onServers(t, func(t *testing.T, s *s3test.Server) {
		plain, versioned := s.Bucket(t), s.VersionedBucket(t)
		certain := s.Name == "minio"
		for name, c := range map[string]struct {
			bucket string
			use    s3.Use
			risk   bool
			decide func(*http.Request) s3test.Fate
			want   string // in the error; empty: it opens
		}{
			"plain for everything":        {bucket: plain, want: "turn versioning on"},
			"plain for drops":             {bucket: plain, use: s3.ForDrops, want: "turn versioning on"},
			"plain for the work area":     {bucket: plain, use: s3.ForWorkArea},
			"plain at a risk":             {bucket: plain, risk: true},
			"versions for everything":     {bucket: versioned, want: pick(certain, "", "removes a version in two steps")},
			"versions for the work area":  {bucket: versioned, use: s3.ForWorkArea},
			"creates do not look, plain":  {bucket: plain, risk: true, decide: strip("PUT", nil, "If-None-Match"), want: "lets two writers create one object"},
			"creates do not look, drops":  {bucket: versioned, use: s3.ForDrops, risk: true, decide: strip("PUT", nil, "If-None-Match")},
			"creates do not look, copies": {bucket: versioned, risk: true, decide: strip("PUT", nil, "If-None-Match"), want: "use a bucket without versions"},
			"no bucket":                   {bucket: "no-such-bucket", risk: true, want: "NoSuchBucket"},
		} {
			t.Run(name, func(t *testing.T) {
				p := s3test.NewProxy(t, s)
				p.Decide(c.decide)
				cfg := s3.Config{URL: p.URL(c.bucket, "pre"), CredentialsFile: s3test.Credentials(t), Use: c.use, AcceptRisk: c.risk}
				st, err := s3.Open(t.Context(), cfg)
				switch {
				case err == nil:
					st.Close()
					if c.want != "" {
						t.Fatalf("it opened; want an error with %q", c.want)
					}
				case c.want == "" || !strings.Contains(err.Error(), c.want):
					t.Fatalf("want an error with %q, got %v", c.want, err)
				}
			})
		}
		for _, bucket := range []string{plain, versioned} {
			if names := left(t, s, bucket); len(names) > 0 {
				t.Errorf("left in the bucket are %q", names)
			}
		}
	})
}

func pick(cond bool, yes, no string) string {
	if cond {
		return yes
	}
	return no
}

func TestOpen_saysWhatIsKept(t *testing.T) {
	onServers(t, func(t *testing.T, s *s3test.Server) {
		for name, c := range map[string]struct {
			bucket string
			races  bool
		}{"plain": {s.Bucket(t), true}, "versioned": {s.VersionedBucket(t), s.Name != "minio"}} {
			st := opened(t, config(t, s, c.bucket, "pre"))
			want := storage.Properties{
				URL: s.URL(c.bucket, "pre"), Kind: "s3", Remote: true, WholeObjects: true, Flat: true, RemoveRaces: c.races,
			}
			if got := st.Properties(); got != want {
				t.Errorf("%s: want %+v, got %+v", name, want, got)
			}
		}
	})
}

// Where a condition is not looked at, the store does without: the outcome is the same.
func TestStore_doesWithoutWhatTheServerLacks(t *testing.T) {
	onServers(t, func(t *testing.T, s *s3test.Server) {
		ends := func(r *http.Request) bool { return r.URL.Query().Has("uploadId") }
		for name, decide := range map[string]func(*http.Request) s3test.Fate{
			"copies do not look":   strip("PUT", nil, "X-Amz-Copy-Source-If-Match"),
			"uploads do not look":  strip("POST", ends, "If-None-Match"),
			"removals do not look": strip("DELETE", nil, "If-Match"),
			"puts do not look":     strip("PUT", nil, "If-Match"),
			"puts refuse all": func(r *http.Request) s3test.Fate { // Ceph
				if r.Method == http.MethodPut && r.Header.Get("If-Match") != "" {
					return s3test.Fate{Status: http.StatusPreconditionFailed}
				}
				return s3test.Fate{}
			},
		} {
			t.Run(name, func(t *testing.T) {
				p := s3test.NewProxy(t, s)
				if name == "copies do not look" { // that header is signed, so it cannot be taken away
					decide = func(r *http.Request) s3test.Fate {
						if r.Header.Get("X-Amz-Copy-Source-If-Match") == "00000000000000000000000000000000" {
							return s3test.Fate{Status: 200, Body: "<CopyObjectResult><ETag>x</ETag></CopyObjectResult>"}
						}
						return s3test.Fate{}
					}
				}
				p.Decide(decide)
				c := config(t, s, "", "")
				c.URL = p.URL(s.Bucket(t), "pre")
				st := opened(t, c)
				st.Lower(1000, 5*mib)
				useAll(t, st)
			})
		}
	})
}

// useAll does each thing once that a condition is for.
func useAll(t *testing.T, st *s3.Store) {
	t.Helper()
	ctx, text := t.Context(), strings.Repeat("x", 3000)
	old, err := put(ctx, st, "k", text, ifAbsent)
	must(t, err)
	_, err = put(ctx, st, "k", text, ifAbsent)
	wantErr(t, "create twice", errExist, err)
	now, err := put(ctx, st, "k", text+"!!", storage.PutOptions{})
	must(t, err)
	_, err = put(ctx, st, "k", text+"?", storage.PutOptions{IfVersion: old.Version})
	wantErr(t, "replace an old version", storage.ErrChanged, err)
	now, err = put(ctx, st, "k", text+"!", storage.PutOptions{IfVersion: now.Version})
	must(t, err)
	_, err = st.Copy(ctx, old, "copy", storage.PutOptions{})
	wantErr(t, "copy an old version", storage.ErrChanged, err)
	for _, o := range []storage.PutOptions{{}, ifAbsent} {
		_, err = st.Copy(ctx, now, asset.Key("copy").Join(asset.Key(pick(o.IfAbsent, "a", "b"))), o)
		must(t, err)
	}
	wantErr(t, "remove an old version", storage.ErrChanged, st.Remove(ctx, "k", old.Version))
	_, err = st.Move(ctx, now, "moved", ifAbsent)
	must(t, err)
	if got := storagetest.Content(t, st, "moved"); got != text+"!" {
		t.Errorf("moved is %d bytes", len(got))
	}
	_, err = st.Stat(ctx, "k")
	wantErr(t, "stat after move", errNotExist, err)
}
