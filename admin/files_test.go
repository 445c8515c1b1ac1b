package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net/http"
	"strings"
	"testing"
	"time"

	"hotfolderd/asset"
	"hotfolderd/config"
	"hotfolderd/storage"
)

// filed lets a fake keep files; their tags are their bytes.
func filed(f *fake, kept map[FilePlace]string) func(*Backend) {
	file := func(p FilePlace) File {
		return File{Path: p.Path, Kind: "file", Size: int64(len(kept[p])), ETag: `"` + kept[p] + `"`, Changed: time.Unix(1_700_000_000, 0)}
	}
	check := func(_ context.Context, p FilePlace, o PutOptions) error {
		_, there := kept[p]
		return o.CheckTag(kept[p], there)
	}
	return func(b *Backend) {
		b.Files = &Files{
			Open: func(_ context.Context, p FilePlace) (storage.Reader, File, error) {
				switch data, ok := kept[p]; {
				case p.Job == "never":
					return nil, File{}, fmt.Errorf("%w %q", asset.ErrNoJob, p.Job)
				case p.Job == "ended":
					return nil, File{}, asset.ErrJobEnded
				case p.Path == "folder":
					return nil, File{}, storage.ErrNotRegular
				case !ok:
					return nil, File{}, fs.ErrNotExist
				default:
					f.opened++
					return &fakeReader{Reader: bytes.NewReader([]byte(data)), f: f, size: int64(len(data))}, file(p), nil
				}
			},
			Check: check,
			Put: func(ctx context.Context, p FilePlace, r io.Reader, o PutOptions) (File, bool, error) {
				data, err := io.ReadAll(r)
				if err == nil {
					err = check(ctx, p, o)
				}
				if err == nil && p.Path == "too/large" {
					err = fmt.Errorf("%w: the quota is used up", storage.ErrFull)
				}
				if err != nil {
					return File{}, false, err
				}
				_, there := kept[p]
				kept[p] = string(data)
				return file(p), !there, nil
			},
			Remove: func(ctx context.Context, p FilePlace, o PutOptions) error {
				if err := check(ctx, p, o); err != nil {
					return err
				}
				if _, ok := kept[p]; !ok {
					return fs.ErrNotExist
				}
				delete(kept, p)
				return nil
			},
			RemoveFolder: func(_ context.Context, p FilePlace) error { f.call("rmdir %s", p.Path); return nil },
			List: func(_ context.Context, p FilePlace, q FileQuery) (FilePage, error) {
				if p.Path == "none" {
					return FilePage{}, fs.ErrNotExist
				}
				f.call("list %q %q %q %q %d", p.Job, string(p.Path), q.Prefix, q.After, q.Limit)
				return FilePage{Files: []File{file(p)}, Next: "n\xff"}, nil
			},
		}
	}
}

func TestFiles_routesOfEverybodyAndOfAJob(t *testing.T) {
	for _, c := range []struct{ base, job string }{{"/v1/workarea/", ""}, {"/v1/jobs/j1/files/", "j1"}} {
		f, kept := newFake(), map[FilePlace]string{}
		s := clustered(t, f, nil, filed(f, kept))
		for _, row := range []struct {
			method, target, header, value, body string
			status                              int
			text                                string
		}{
			{"PUT", "a%20b/c", "", "", "one", 201, `"path":"a b/c"`},
			{"GET", "a%20b/c", "", "", "", 200, "one"},
			{"HEAD", "a%20b/c", "", "", "", 200, ""},
			{"GET", "a%20b/c", "Range", "bytes=1-1", "", 206, "n"},
			{"GET", "a%20b/c", "If-None-Match", `"one"`, "", 304, ""},
			{"PUT", "a%20b/c", "If-None-Match", "*", "two", 412, "If-None-Match"},
			{"PUT", "a%20b/c", "If-Match", `"other"`, "two", 412, "If-Match"},
			{"PUT", "a%20b/c", "If-Match", `W/"one"`, "two", 412, "If-Match"},
			{"PUT", "a%20b/c", "If-Match", `"other", "one"`, "two", 200, `"etag":"\"two\""`},
			{"PUT", "x", "Content-Range", "bytes 0-1/2", "two", 400, "whole"},
			{"PUT", "too/large", "", "", "x", 507, "quota"},
			{"PUT", "a//b", "", "", "x", 400, "empty part"},
			{"PUT", "../b", "", "", "x", 400, "has a part"},
			{"PUT", "", "", "", "x", 400, "?list"},
			{"GET", "none", "", "", "", 404, "no file"},
			{"GET", "none?list", "", "", "", 404, `"there is no folder \"none\""`},
			{"GET", "", "", "", "", 400, "told with ?list"},
			{"GET", "folder", "", "", "", 409, "?list"},
			{"DELETE", "none", "", "", "", 404, "no file"},
			{"DELETE", "a%20b/c", "If-Match", `"one"`, "", 412, "If-Match"},
			{"DELETE", "a%20b/c", "If-Match", `"two"`, "", 204, ""},
			{"DELETE", "a/folder/?folder", "", "", "", 204, ""},
			{"DELETE", "?folder", "", "", "", 409, "always there"},
			{"GET", "?list", "", "", "", 200, `"next":"bv8"`},
			{"GET", "a/?list&prefix=p&limit=7&cursor=bv8", "", "", "", 200, `"folder":"a"`},
			{"GET", "a?list&cursor=!", "", "", "", 400, "cursor"},
			{"POST", "a", "", "", "", 405, "DELETE, GET, HEAD, PUT"},
		} {
			w := request(t, s, row.method, c.base+row.target, header(row.header, row.value), body(row.body))
			if w.Code != row.status || !strings.Contains(w.Body.String(), row.text) {
				t.Errorf("%s %s%s: want %d with %q, got %d: %s", row.method, c.base, row.target, row.status, row.text, w.Code, w.Body)
			}
			if row.status < 300 && row.method != "GET" && row.method != "HEAD" && w.Header().Get("X-Hotfolder-Index") == "" {
				t.Errorf("%s %s: want an index", row.method, row.target)
			}
		}
		if len(kept) != 0 || f.opened != f.closed {
			t.Errorf("want nothing left, got %v; %d readers opened, %d closed", kept, f.opened, f.closed)
		}
		want := fmt.Sprintf(`list %q "a" "p" "n\xff" 7`, c.job)
		if !strings.Contains(strings.Join(f.calls, "\n"), want) {
			t.Errorf("want %s, got %q", want, f.calls)
		}
	}
	w := request(t, newServer(t, newFake(), Options{}), "GET", "/v1/workarea/a")
	wantStatus(t, http.StatusNotImplemented, w)
}

func TestFiles_aClientThatBreaksOffStoresNothing(t *testing.T) {
	f, kept := newFake(), map[FilePlace]string{}
	s := clustered(t, f, nil, filed(f, kept))
	cut := readerFunc(func([]byte) (int, error) { return 0, errors.New("connection reset") })
	wantStatus(t, http.StatusBadRequest, request(t, s, "PUT", "/v1/workarea/a", bodyOf(cut)))
	if len(kept) != 0 {
		t.Errorf("want nothing stored, got %v", kept)
	}
}

func TestJobs_routes(t *testing.T) {
	f := newFake()
	all := map[string]Job{}
	s := clustered(t, f, nil, func(b *Backend) {
		get := func(_ context.Context, id string) (Job, error) {
			j, ok := all[id]
			if !ok {
				return j, asset.ErrJobEnded
			}
			return j, nil
		}
		b.Jobs = &Jobs{
			New: func(_ context.Context, w JobRequest) (Job, error) {
				if w.TTL > config.Duration(time.Hour) {
					return Job{}, fmt.Errorf("%w: its ttl is above 1h", ErrAsked)
				}
				j := Job{ID: "j1", Owner: w.Owner, Labels: w.Labels, TTL: w.TTL, Quota: int64(w.Quota), Folder: "/srv/hf/workarea/jobs/j1"}
				all[j.ID] = j
				return j, nil
			},
			All: func(context.Context) iter.Seq2[Job, error] {
				var jobs []Job
				for _, j := range all {
					jobs = append(jobs, j)
				}
				return seq(jobs)
			},
			Get: get, Renew: get,
			End: func(ctx context.Context, id string) error {
				_, err := get(ctx, id)
				delete(all, id)
				return err
			},
		}
	})
	w := request(t, s, "POST", "/v1/jobs", body(`{"owner": "me", "ttl": "30m", "quota": "2MiB", "labels": {"a": "b"}}`))
	wantStatus(t, http.StatusCreated, w)
	var j Job
	if err := json.Unmarshal(w.Body.Bytes(), &j); err != nil || j.Files != "/v1/jobs/j1/files/" || j.Quota != 2<<20 || w.Header().Get("Location") != "/v1/jobs/j1" {
		t.Errorf("got %+v, %v, %s", j, err, w.Header())
	}
	for _, row := range []struct {
		method, target, body string
		status               int
		text                 string
	}{
		{"POST", "/v1/jobs", `{"ttl": "2h"}`, 400, "above 1h"},
		{"POST", "/v1/jobs", `{"ttl": 5}`, 400, "a job is asked for as"},
		{"POST", "/v1/jobs", `{"nonsense": 1}`, 400, "nonsense"},
		{"POST", "/v1/jobs", ``, 201, `"id":"j1"`},
		{"GET", "/v1/jobs", ``, 200, `"files":"/v1/jobs/j1/files/"`},
		{"GET", "/v1/jobs?owner=nobody", ``, 200, `"jobs":[]`},
		{"GET", "/v1/jobs/j1", ``, 200, `"id":"j1"`},
		{"POST", "/v1/jobs/j1/renew", ``, 200, `"id":"j1"`},
		{"GET", "/v1/jobs/j2", ``, 404, "ended"},
		{"DELETE", "/v1/jobs/j1", ``, 204, ""},
		{"POST", "/v1/jobs/j1/renew", ``, 404, "ended"},
		{"DELETE", "/v1/jobs/j1", ``, 404, "ended"},
		{"PUT", "/v1/jobs/j1", ``, 405, "DELETE, GET"},
	} {
		w := request(t, s, row.method, row.target, body(row.body))
		if w.Code != row.status || !strings.Contains(w.Body.String(), row.text) {
			t.Errorf("%s %s %s: want %d with %q, got %d: %s", row.method, row.target, row.body, row.status, row.text, w.Code, w.Body)
		}
	}
}
