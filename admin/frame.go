package admin

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"hotfolderd/admin/access"
)

// frame is what all pages of a node have around them.
type frame struct {
	Node        nodeView
	Who         access.Identity
	Session     bool
	Clustered   bool
	Live        bool
	StateWhy    string // why the node is not active, where it knows
	ImportsWait string // what imports wait for while the node is active
	Nav         []navItem
	Crumbs      []crumb // the way to this page, without the page itself
	Back        string  // this page, for forms to come back to
}

// navItem is a page that all others lead to.
type navItem struct {
	URL, Word string
	Here      bool // this page, or one below it
	Failed    string
}

type crumb struct{ URL, Word string }

// frame is for a page at or below the one with the address here.
func (s *Server) frame(r *http.Request, here string, way ...crumb) frame {
	f := frame{
		Node: nodeViewOf(s.b.Node(), time.Now()), Who: access.Of(r.Context()), Session: !s.access.Open(), Clustered: s.b.Cluster != nil,
		Live: s.b.Subscribe != nil, Nav: s.nav(here), Crumbs: way, Back: r.URL.RequestURI(),
	}
	if f.Clustered {
		f.explain(s.b.Cluster())
	}
	return f
}

func (s *Server) nav(here string) (all []navItem) {
	add := func(there bool, url, word, failed string) {
		if there {
			all = append(all, navItem{url, word, url == here, failed})
		}
	}
	add(true, "/", "Now", "")
	add(s.b.ListAssets != nil, "/assets", "Assets", "")
	add(s.b.Failures != nil, "/failed", "Failed", s.failed.count())
	add(s.b.Jobs != nil, "/jobs", "Jobs", "")
	add(s.b.Story != nil, "/why", "Ask", "")
	add(s.b.Cluster != nil, "/cluster", "Cluster", "")
	return all
}

func (f *frame) explain(c Cluster) {
	if !c.Writable {
		f.StateWhy = c.Why
	}
	if f.Node.State == Active && !c.Importing {
		f.ImportsWait = c.ImportingWhy
	}
}

// Operates and Administers decide which buttons are shown. The table of routes decides what they do.
func (f frame) Operates() bool { return f.Who.Role.May(access.Operator) }

// Administers is for buttons of an admin.
func (f frame) Administers() bool { return f.Who.Role.May(access.Admin) }

const maxForm = 64 << 10

// goBack answers a form: the browser goes back to the page it came from, which the form names, or to another.
func goBack(w http.ResponseWriter, r *http.Request, otherwise string) {
	to := otherwise
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if back := r.PostFormValue("back"); ownPage(back) {
			to = back
		}
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// ownPage reports whether an address stays on this node: browsers read "//" and "/\\" as the beginning of another one's.
func ownPage(to string) bool {
	unseen := func(c rune) bool { return c <= ' ' || c > '~' || c == '\\' }
	return strings.HasPrefix(to, "/") && !strings.HasPrefix(to, "//") && !strings.ContainsFunc(to, unseen)
}

// count is how many failed drops are known, in words; empty for none.
func (l *failedList) count() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch n := len(l.shown); {
	case l.more:
		return strconv.Itoa(n) + "+"
	case n > 0:
		return strconv.Itoa(n)
	}
	return ""
}
