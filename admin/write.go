package admin

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strconv"

	"hotfolderd/asset"
)

// storedAsset is the answer to a write, with the fields that the command put prints.
type storedAsset struct {
	Name   asset.Key  `json:"name"`
	Number int        `json:"number"`
	Hash   asset.Hash `json:"sha256"`
	Size   int64      `json:"size"`
	Type   string     `json:"type"`
}

// putAsset stores the body as the next version of the name, whole or not at all. There is no limit of size or time, as long as
// bytes come.
func (s *Server) putAsset(w http.ResponseWriter, r *http.Request) error {
	name, o, err := s.meant(r)
	if err != nil {
		return err
	}
	u, err := checkedUpload(w, r)
	if err != nil {
		return err
	}
	type put struct {
		rec asset.Record
		n   int
	}
	got, stop, err := askFor(r.Context(), s.uploads, u.patience, func(ctx context.Context) (put, error) {
		rec, n, err := s.b.PutAsset(ctx, name, u, o)
		return put{rec, n}, err
	}, nil)
	stop()
	clientErr := u.end()
	if err != nil {
		return putFault(name, err, clientErr)
	}
	h := got.rec.Content.Hash
	w.Header().Set("ETag", `"`+h.String()+`"`)
	w.Header().Set("X-Hotfolder-Version", strconv.Itoa(got.n))
	w.Header().Set("Location", assetURL(name))
	s.tellIndex(w)
	return writeJSON(w, http.StatusCreated, storedAsset{name, got.n, h, got.rec.Content.Size, got.rec.Content.Type})
}

// putFault says whose fault it was.
func putFault(name asset.Key, err, clientErr error) error {
	switch {
	case clientErr != nil:
		return newProblem(http.StatusBadRequest, "the bytes did not arrive whole, so nothing was stored: "+Visible(clientErr.Error()))
	case errors.Is(err, context.DeadlineExceeded):
		return newProblem(http.StatusGatewayTimeout, "the store took too long; whether the bytes were stored is not known, so ask for "+name.Quoted())
	}
	return fmt.Errorf("put %s: %w", name.Quoted(), err)
}

// removeAsset takes the name away; its bytes stay reachable by their hash.
func (s *Server) removeAsset(w http.ResponseWriter, r *http.Request) error {
	name, _, err := s.meant(r)
	if err != nil {
		return err
	}
	_, err = fetch(r.Context(), s, func(ctx context.Context) (struct{}, error) { return struct{}{}, s.b.RemoveAsset(ctx, name) })
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return noAsset(name)
	case err != nil:
		return fmt.Errorf("remove %s: %w", name.Quoted(), err)
	}
	s.tellIndex(w)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// meant reads what a write is about. Conditions are looked at here, before a byte of the body was asked for; PutAsset looks
// again.
func (s *Server) meant(r *http.Request) (name asset.Key, o PutOptions, err error) {
	if name, err = assetName(r.URL.EscapedPath()); err != nil {
		return "", o, err
	}
	if _, suffixed := thumbnailOf(name); suffixed && r.URL.Query().Has("size") {
		return "", o, newProblem(http.StatusBadRequest, "thumbnails are made by the nodes; they cannot be written or removed")
	}
	if err = sentAsItIs(r.Header); err != nil {
		return "", o, err
	}
	if p := r.URL.Query(); p.Has("version") || p.Has("versions") || p.Has("metadata") {
		return "", o, newProblem(http.StatusBadRequest, "a name is written, and removed with all its versions; version, versions and metadata are for reading")
	}
	if o, err = conditionsOf(r.Header); err != nil || o.none() || o.Once != "" { // a write that is repeated may have been done
		return name, o, err
	}
	return name, o, s.allowed(r.Context(), name, o)
}

func (s *Server) allowed(ctx context.Context, name asset.Key, o PutOptions) error {
	if s.b.Current == nil {
		return nil
	}
	rec, _, err := s.current(ctx, name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return o.Check(rec.Content.Hash, err == nil)
}
