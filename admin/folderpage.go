package admin

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"hotfolderd/asset"
)

type folderPageView struct {
	frame
	F       folderView
	Imports []eventView
	Takes   bool   // files by HTTP
	Dropped string // what a form has sent
	failedPart
}

// folderPage is made from memory alone, except that it waits a moment for the list of failed drops.
func (s *Server) folderPage(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("hotfolder")
	if err := s.known(name); err != nil {
		return err
	}
	folders, count := folderViews(s.folders(), time.Now(), s.b)
	v := folderPageView{Takes: s.b.Drops != nil, Dropped: takeFlash(w, r, name), F: folders[slices.IndexFunc(folders, func(f folderView) bool { return f.Name == name })]}
	failed := s.failures(r.Context(), count)
	failed.shown = slices.DeleteFunc(failed.shown, func(f asset.Failure) bool { return f.Hotfolder != name })
	v.take(failed, failedShown)
	own := slices.DeleteFunc(slices.Clone(s.recent(recentAsked)), func(e asset.Event) bool { return e.Hotfolder != name })
	v.Imports = importViews(own, importsShown)
	v.frame = s.frame(r, "/", crumb{"/", "Now"})
	return s.render(w, http.StatusOK, "hotfolder.html", v)
}

// droppedText says what a form has sent; empty for anything else.
func droppedText(n string) string {
	many, err := strconv.Atoi(n)
	switch {
	case err != nil || many < 1:
		return ""
	case many == 1:
		return "One file was dropped."
	}
	return fmt.Sprintf("%d files were dropped.", many)
}
