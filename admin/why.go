package admin

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"hotfolderd/asset"
)

// why tells the story of one drop: as a page to a browser, as JSON to a program. The path may be written as people have it
// at hand: where the file was dropped, below the store, or hotfolder and name.
func (s *Server) why(w http.ResponseWriter, r *http.Request) error {
	if s.b.Story == nil {
		return notOffered("the journal")
	}
	limit, err := limitOf(r)
	if err != nil {
		return err
	}
	if r.URL.Query().Get("path") == "" && !wantsPage(r) {
		return newProblem(http.StatusBadRequest, "path is the path of the dropped file, or hotfolder/name")
	}
	hotfolder, key, err := s.whose(r.URL.Query().Get("hotfolder"), r.URL.Query().Get("path"))
	if err != nil {
		return s.whyFault(w, r, err)
	}
	got, err := fetch(r.Context(), s, func(ctx context.Context) (some[asset.Event], error) {
		return collect(ctx, s.b.Story(ctx, hotfolder, key), limit)
	})
	if err != nil {
		return s.whyFault(w, r, fmt.Errorf("read the journal of %s in %s: %w", key.Quoted(), hotfolder, err))
	}
	if wantsPage(r) {
		return s.whyPage(w, r, http.StatusOK, storyView{Hotfolder: hotfolder, Key: key, Events: eventViews(got.values), More: got.more})
	}
	out := list("events", got)
	out["hotfolder"], out["key"] = hotfolder, key
	return writeJSON(w, http.StatusOK, out)
}

// whyFault keeps a person who asked by the form on a page; a program gets the problem.
func (s *Server) whyFault(w http.ResponseWriter, r *http.Request, err error) error {
	if !wantsPage(r) {
		return err
	}
	p := problemOf(err)
	return s.whyPage(w, r, p.Status, storyView{Fault: p.Detail})
}

// whose finds the hotfolder and the key that a path means. With hotfolder given the path is the key itself.
func (s *Server) whose(hotfolder, path string) (string, asset.Key, error) {
	if hotfolder != "" {
		if err := s.known(hotfolder); err != nil {
			return "", "", err
		}
		key, err := asset.ParseKey(path)
		return hotfolder, key, err
	}
	var rest, found string
	var names []string
	for _, f := range s.folders() {
		names = append(names, f.Name)
		for _, prefix := range []string{f.DropHere, f.Path, f.Name} {
			below, ok := strings.CutPrefix(path, strings.TrimSuffix(prefix, "/")+"/")
			if ok && prefix != "" && (found == "" || len(below) < len(rest)) {
				found, rest = f.Name, below
			}
		}
	}
	if found == "" {
		return "", "", newProblem(http.StatusNotFound, fmt.Sprintf("%q is in no hotfolder: give the path of the dropped file, or "+
			"hotfolder/name with one of %s", path, strings.Join(names, ", ")))
	}
	key, err := asset.ParseKey(rest)
	return found, key, err
}
