package admin

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"path"
	"time"

	"hotfolderd/asset"
)

// How much the page shows.
const (
	importsShown = 24
	failedBrief  = 3
	recentAsked  = 200
)

//go:embed page
var files embed.FS

var pages = template.Must(template.New("").Funcs(template.FuncMap{
	"name": func(v any) string { return shownName(fmt.Sprint(v)) }, "text": func(v any) string { return Visible(fmt.Sprint(v)) },
	"sentence": func(s string) string { return Visible(sentence(s)) }, "seg": url.PathEscape, "span": span, "bytes": bytesOf, "clock": clock, "date": date, "rfc": rfc, "path": func(k asset.Key) string { return escaped(k) },
	"short": func(h asset.Hash) string { return short(h.String()) }, "both": func(frame any, f folderView) both { return both{frame, f} },
}).ParseFS(files, "page/*.html"))

// both is for a part of a page that needs the page and one hotfolder.
type both struct {
	Frame  any
	Folder folderView
}

// faultView is a page for what went wrong with a form.
type faultView struct {
	Title, Detail string
}

type loginView struct {
	Name, Detail string
	Users        bool // somebody has a name
}

// page is made from memory alone, except that it waits a moment for the list of failed drops.
func (s *Server) page(w http.ResponseWriter, r *http.Request) error {
	now := time.Now()
	folders, failedCount := folderViews(s.folders(), now, s.b)
	v := pageView{
		Why: s.b.Story != nil, Metrics: s.o.Registry != nil, Folders: folders, Imports: importViews(s.recent(recentAsked), importsShown),
	}
	v.take(s.failures(r.Context(), failedCount), failedBrief)
	v.frame = s.frame(r, "/")
	return s.render(w, http.StatusOK, "index.html", v)
}

func (s *Server) whyPage(w http.ResponseWriter, r *http.Request, status int, v storyView) error {
	v.frame, v.Asked = s.frame(r, "/why"), r.URL.Query().Get("path")
	return s.render(w, status, "why.html", v)
}

func (s *Server) loginPage(w http.ResponseWriter, r *http.Request) error {
	if _, err := s.access.Identify(r, false); err == nil {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return nil
	}
	return s.renderLogin(w, http.StatusOK, "", "")
}

func (s *Server) renderLogin(w http.ResponseWriter, status int, name, fault string) error {
	return s.render(w, status, "login.html", loginView{name, fault, s.access.HasUsers()})
}

func (s *Server) faultPage(w http.ResponseWriter, p *problem) {
	if err := s.render(w, p.Status, "fault.html", faultView{Title: p.Title, Detail: p.Detail}); err != nil {
		writeProblem(w, p)
	}
}

// render makes the whole page before the first byte leaves, so that a fault in a template is a 500 and not half a page.
func (s *Server) render(w http.ResponseWriter, status int, name string, v any) error {
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, name, v); err != nil {
		return fmt.Errorf("render %s: %w", name, err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // a client that is gone needs no page
	return nil
}

// pageFile serves the script and the style. They hold nothing secret, so that the login form may use them.
func (s *Server) pageFile(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("file")
	types := map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
	data, err := files.ReadFile("page/" + name)
	kind, ok := types[path.Ext(name)]
	if err != nil || !ok {
		return newProblem(http.StatusNotFound, "there is no such file")
	}
	sum := sha256.Sum256(data)
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("ETag", `"`+hex.EncodeToString(sum[:8])+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	return nil
}
