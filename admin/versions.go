package admin

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net/http"
	"net/url"
	"strconv"

	"hotfolderd/asset"
)

// meantVersion is the version of a name that a request is about: the current one, or the one that it names.
func (s *Server) meantVersion(ctx context.Context, name asset.Key, p url.Values) (asset.Record, int, error) {
	if !p.Has("version") {
		return s.current(ctx, name)
	}
	if s.b.Version == nil {
		return asset.Record{}, 0, notOffered("earlier versions")
	}
	n, err := numberOf(p, "version", 0, math.MaxInt32)
	if err != nil || n == 0 {
		return asset.Record{}, 0, newProblem(http.StatusBadRequest, "version is the number of a version, from 1")
	}
	rec, err := fetch(ctx, s, func(ctx context.Context) (asset.Record, error) { return s.b.Version(ctx, name, n) })
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%s has no version %d: %w", name.Quoted(), n, fs.ErrNotExist)
	}
	return rec, n, err
}

// listVersions tells the versions of a name, the newest first.
func (s *Server) listVersions(w http.ResponseWriter, r *http.Request, name asset.Key) error {
	if s.b.Versions == nil {
		return notOffered("the list of versions")
	}
	p := r.URL.Query()
	limit, err := numberOf(p, "limit", defaultAssets, maxAssets)
	if err != nil {
		return err
	}
	of := []string{"versions", string(name)}
	below, err := belowOf(p.Get("cursor"), of)
	if err != nil {
		return err
	}
	type page struct {
		found []Asset
		next  int
	}
	got, err := fetch(r.Context(), s, func(ctx context.Context) (page, error) {
		found, next, err := s.b.Versions(ctx, name, below, limit)
		return page{found, next}, err
	})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return noAsset(name)
	case err != nil:
		return err
	}
	out := versionList{Name: name, Versions: viewsOf(got.found)}
	for i := range out.Versions {
		out.Versions[i].URL += "?version=" + strconv.Itoa(out.Versions[i].Number)
	}
	if got.next > 0 {
		out.Next = cursor(strconv.Itoa(got.next), of...)
	}
	return writeJSON(w, http.StatusOK, out)
}

// versionList is a page of the versions of a name.
type versionList struct {
	Name     asset.Key   `json:"name"`
	Versions []assetView `json:"versions"`
	Next     string      `json:"next,omitempty"`
}

func belowOf(text string, of []string) (int, error) {
	position, err := positionOf(text, of...)
	if err != nil || position == "" {
		return 0, err
	}
	return strconv.Atoi(position)
}

func noAsset(name asset.Key) error {
	return fmt.Errorf("there is no asset %s: %w", name.Quoted(), fs.ErrNotExist)
}
