package admin

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"hotfolderd/admin/access"
	"hotfolderd/asset"
	"hotfolderd/storage"
)

// Where files are served: those of the work area, and those of one job.
const (
	workareaPath = "/v1/workarea/"
	jobFilesPath = "/v1/jobs/{id}/files/"
)

// FilePlace is the place of a file or folder. The empty path is the folder that all others are in.
type FilePlace struct {
	Job  string // its id; empty: the files that belong to no job
	Path asset.Key
}

// File is one file or folder of the work area.
type File struct {
	Path     asset.Key `json:"path"`
	Kind     string    `json:"kind"` // file, folder, or other: a link, pipe or device, which is only shown
	Size     int64     `json:"size"`
	ETag     string    `json:"etag,omitempty"` // as the header has it, with its quotes
	Modified time.Time `json:"modified,omitzero"`
	Changed  time.Time `json:"-"` // by the store's clock: what Last-Modified tells
}

// FilePage is a part of a folder.
type FilePage struct {
	Files []File
	Next  string // what After is for the next page; empty: this is the last
}

// FileQuery says what of a folder is listed.
type FileQuery struct {
	Prefix string // of the names
	After  string
	Limit  int
}

// Files are the files of the work area. The functions are as those of [Backend]. [asset.ErrJobEnded] and [asset.ErrNoJob] are of a job.
type Files struct {
	// Open opens a file; ctx lives as long as the reader. [storage.ErrNotRegular] for a folder.
	Open func(ctx context.Context, p FilePlace) (storage.Reader, File, error)
	// Check holds conditions against what is there, before bytes are asked for.
	Check func(ctx context.Context, p FilePlace, o PutOptions) error
	// Put writes all of r, or nothing, if the conditions hold when all has come. r may take as long as it brings bytes.
	Put func(ctx context.Context, p FilePlace, r io.Reader, o PutOptions) (f File, created bool, err error)
	// Remove takes a file away, RemoveFolder an empty folder.
	Remove       func(ctx context.Context, p FilePlace, o PutOptions) error
	RemoveFolder func(ctx context.Context, p FilePlace) error
	List         func(ctx context.Context, p FilePlace, q FileQuery) (FilePage, error)
}

func (s *Server) fileMethods() methods {
	return methods{
		"GET": {access.Viewer, s.file}, "PUT": {access.Operator, s.putFile}, "DELETE": {access.Operator, s.removeFile},
	}
}

// filePlace reads where a request is about. Only a folder may be named with a slash at its end.
func (s *Server) filePlace(r *http.Request, folder bool) (p FilePlace, err error) {
	if s.b.Files == nil {
		return p, notOffered("files of the work area")
	}
	p.Job = r.PathValue("id")
	sent := strings.TrimPrefix(r.URL.EscapedPath(), strings.Replace(r.Pattern, "{id}", p.Job, 1))
	raw, err := url.PathUnescape(sent)
	if err != nil {
		return p, fmt.Errorf("%w: %q is not percent-encoded as it should be", asset.ErrKey, sent)
	}
	if folder {
		if raw = strings.TrimSuffix(raw, "/"); raw == "" {
			return p, nil
		}
	}
	if raw == "" {
		return p, newProblem(http.StatusBadRequest, "a file has a name; what is in this folder is told with ?list").as(badName)
	}
	p.Path, err = asset.ParseKey(raw)
	return p, err
}

// file serves the bytes of a file or, with ?list, what is in a folder.
func (s *Server) file(w http.ResponseWriter, r *http.Request) error {
	if r.URL.Query().Has("list") {
		return s.listFiles(w, r)
	}
	p, err := s.filePlace(r, false)
	if err != nil {
		return err
	}
	type opened struct {
		rd storage.Reader
		f  File
	}
	got, stop, err := ask(r.Context(), s.gate, func(ctx context.Context) (opened, error) {
		rd, f, err := s.b.Files.Open(ctx, p)
		return opened{rd, f}, err
	}, func(o opened) { closeReader(o.rd) })
	defer stop()
	if err != nil {
		return fileFault(p, err)
	}
	defer closeReader(got.rd)
	h := w.Header()
	h.Set("ETag", got.f.ETag)
	h.Set("Cache-Control", "private, no-cache")
	showAs(h, mime.TypeByExtension(path.Ext(p.Path.Base())), p.Path)
	return s.serveBytes(w, r, got.rd, got.f.Changed, stop)
}

// fileFault says in words what is wrong with a path.
func fileFault(p FilePlace, err error) error {
	if errors.Is(err, fs.ErrNotExist) && !jobGone(err) {
		return fmt.Errorf("there is no file %s: %w", p.Path.Quoted(), fs.ErrNotExist)
	}
	if errors.Is(err, storage.ErrNotRegular) {
		return fmt.Errorf("%w: what is in a folder is told with ?list", err)
	}
	return err
}

// jobGone reports whether what is not there is the job.
func jobGone(err error) bool {
	return errors.Is(err, asset.ErrJobEnded) || errors.Is(err, asset.ErrNoJob)
}

// putFile stores the body whole or not at all. There is no limit of time, as long as bytes come, and none of size but the quota.
func (s *Server) putFile(w http.ResponseWriter, r *http.Request) error {
	p, o, err := s.meantFile(r)
	if err != nil {
		return err
	}
	u, err := checkedUpload(w, r)
	if err != nil {
		return err
	}
	type put struct {
		f       File
		created bool
	}
	got, stop, err := askFor(r.Context(), s.uploads, u.patience, func(ctx context.Context) (put, error) {
		f, created, err := s.b.Files.Put(ctx, p, u, o)
		return put{f, created}, err
	}, nil)
	stop()
	clientErr := u.end()
	if err != nil {
		return putFault(p.Path, err, clientErr)
	}
	w.Header().Set("ETag", got.f.ETag)
	s.tellIndex(w)
	status := http.StatusOK
	if got.created {
		w.Header().Set("Location", r.URL.EscapedPath())
		status = http.StatusCreated
	}
	return writeJSON(w, status, got.f)
}

// meantFile reads what a write is about; its conditions are looked at before a byte of the body was asked for, and again at the end.
func (s *Server) meantFile(r *http.Request) (p FilePlace, o PutOptions, err error) {
	if p, err = s.filePlace(r, false); err != nil {
		return p, o, err
	}
	if err = sentAsItIs(r.Header); err != nil {
		return p, o, err
	}
	if o, err = conditionsOf(r.Header); err != nil || o.none() {
		return p, o, err
	}
	return p, o, s.do(r.Context(), func(ctx context.Context) error { return s.b.Files.Check(ctx, p, o) })
}

// removeFile takes a file away or, with ?folder, an empty folder.
func (s *Server) removeFile(w http.ResponseWriter, r *http.Request) error {
	if r.URL.Query().Has("folder") {
		return s.removeFolder(w, r)
	}
	p, o, err := s.meantFile(r)
	if err != nil {
		return err
	}
	if err := s.do(r.Context(), func(ctx context.Context) error { return s.b.Files.Remove(ctx, p, o) }); err != nil {
		if errors.Is(err, storage.ErrNotRegular) {
			return fmt.Errorf("%w: an empty folder is removed with ?folder", err)
		}
		return fileFault(p, err)
	}
	s.tellIndex(w)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Server) removeFolder(w http.ResponseWriter, r *http.Request) error {
	p, err := s.filePlace(r, true)
	if err != nil {
		return err
	}
	if p.Path == asset.Root {
		return newProblem(http.StatusConflict, "this folder is always there")
	}
	if err := s.do(r.Context(), func(ctx context.Context) error { return s.b.Files.RemoveFolder(ctx, p) }); err != nil {
		return err
	}
	s.tellIndex(w)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Server) listFiles(w http.ResponseWriter, r *http.Request) error {
	p, err := s.filePlace(r, true)
	if err != nil {
		return err
	}
	limit, err := limitOf(r)
	if err != nil {
		return err
	}
	after, err := afterCursor(r.URL.Query().Get("cursor"))
	if err != nil {
		return err
	}
	q := FileQuery{Prefix: r.URL.Query().Get("prefix"), After: after, Limit: limit}
	page, err := fetch(r.Context(), s, func(ctx context.Context) (FilePage, error) { return s.b.Files.List(ctx, p, q) })
	if errors.Is(err, fs.ErrNotExist) && !jobGone(err) {
		return newProblem(http.StatusNotFound, "there is no folder "+p.Path.Quoted())
	}
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, map[string]any{
		"folder": p.Path, "files": append([]File{}, page.Files...), "next": cursorTo(page.Next),
	})
}

// cursorTo hides the name at which a listing goes on: names may be of any bytes.
func cursorTo(name string) string { return base64.RawURLEncoding.EncodeToString([]byte(name)) }

func afterCursor(cursor string) (string, error) {
	name, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return "", newProblem(http.StatusBadRequest, "cursor is what next was in the page before").as(badCursor)
	}
	return string(name), nil
}
