package admin

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"hotfolderd/asset"
)

// Most entries in one answer.
const (
	defaultList = 1000
	maxList     = 10_000
)

func (s *Server) folders() []Folder {
	if s.b.Folders == nil {
		return []Folder{}
	}
	return append([]Folder{}, s.b.Folders()...)
}

func (s *Server) recent(n int) []asset.Event {
	if s.b.Recent == nil {
		return nil
	}
	return s.b.Recent(n)
}

func (s *Server) showNode(w http.ResponseWriter, _ *http.Request) error {
	return writeJSON(w, http.StatusOK, s.b.Node())
}

func (s *Server) showFolders(w http.ResponseWriter, _ *http.Request) error {
	return writeJSON(w, http.StatusOK, map[string]any{"hotfolders": s.folders()})
}

func (s *Server) scan(w http.ResponseWriter, r *http.Request) error {
	if s.b.Scan == nil {
		return notOffered("scans")
	}
	name := r.PathValue("hotfolder")
	if err := s.known(name); err != nil {
		return err
	}
	if err := s.do(r.Context(), func(ctx context.Context) error { return s.b.Scan(ctx, name) }); err != nil {
		return fmt.Errorf("scan %q: %w", name, err)
	}
	return s.done(w, r, "hotfolders", http.StatusAccepted, map[string]any{"hotfolder": name, "scan": "asked for"})
}

func (s *Server) pause(on bool) answer {
	return func(w http.ResponseWriter, r *http.Request) error {
		if s.b.Pause == nil {
			return notOffered("pausing")
		}
		name := r.PathValue("hotfolder")
		if err := s.known(name); err != nil {
			return err
		}
		if err := s.do(r.Context(), func(ctx context.Context) error { return s.b.Pause(ctx, name, on) }); err != nil {
			return fmt.Errorf("%s %q: %w", map[bool]string{true: "pause", false: "resume"}[on], name, err)
		}
		return s.done(w, r, "hotfolders", http.StatusOK, map[string]any{"hotfolder": name, "paused": on})
	}
}

func (s *Server) known(hotfolder string) error {
	if slices.ContainsFunc(s.folders(), func(f Folder) bool { return f.Name == hotfolder }) {
		return nil
	}
	return fmt.Errorf("there is no hotfolder %q: %w", hotfolder, fs.ErrNotExist)
}

// done answers a change: a browser's form goes back to the part of the page it came from, a program gets JSON.
func (s *Server) done(w http.ResponseWriter, r *http.Request, part string, status int, v any) error {
	s.tellIndex(w)
	if wantsPage(r) {
		goBack(w, r, "/#"+part)
		return nil
	}
	return writeJSON(w, status, v)
}

func (s *Server) showFailed(w http.ResponseWriter, r *http.Request) error {
	if s.b.Failures == nil {
		return notOffered("the list of failed drops")
	}
	limit, err := limitOf(r)
	if err != nil {
		return err
	}
	got, err := fetch(r.Context(), s, func(ctx context.Context) (some[asset.Failure], error) {
		return collect(ctx, s.b.Failures(ctx), limit)
	})
	if err != nil {
		return fmt.Errorf("list failed drops: %w", err)
	}
	return writeJSON(w, http.StatusOK, list("failures", got))
}

// list is the one shape of a list: truncated says that there is more, unreadable that something could not be read.
func list[T any](name string, got some[T]) map[string]any {
	out := map[string]any{name: got.values, "truncated": got.more}
	if got.err != nil {
		out["unreadable"] = Visible(got.err.Error())
	}
	return out
}

func limitOf(r *http.Request) (int, error) {
	return numberOf(r.URL.Query(), "limit", defaultList, maxList)
}

// numberOf reads a parameter that is a number from 1 to most.
func numberOf(p url.Values, name string, without, most int) (int, error) {
	text := p.Get(name)
	if text == "" {
		return without, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		return 0, newProblem(http.StatusBadRequest, fmt.Sprintf("%s is a number from 1 to %d", name, most))
	}
	return n, nil
}

func (s *Server) retry(w http.ResponseWriter, r *http.Request) error {
	if s.b.Retry == nil {
		return notOffered("retries")
	}
	id := r.PathValue("id")
	key, err := fetch(r.Context(), s, func(ctx context.Context) (asset.Key, error) { return s.b.Retry(ctx, id) })
	switch {
	case errors.Is(err, fs.ErrNotExist):
		s.failed.stale()
		return newProblem(http.StatusNotFound, fmt.Sprintf("there is no failed drop %q: it was put back or removed already", id))
	case err != nil:
		return fmt.Errorf("retry %q: %w", id, err)
	}
	s.failed.forget(id)
	return s.done(w, r, "failed", http.StatusOK, map[string]any{"id": id, "key": key})
}
