package admin

import (
	"net/http"
	"sort"
	"strings"
)

const assetsPath = "/v1/assets/"

// routes is the table of everything that is answered. Assets stand before the mux, which would tidy their names
// ("a//b" into "a/b") instead of refusing them.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	get := func(pattern string, h answer) { mux.Handle(pattern, s.methods(map[string]answer{"GET": h})) }
	post := func(pattern string, h answer) { mux.Handle(pattern, s.methods(map[string]answer{"POST": h})) }
	get("/livez", s.livez)
	get("/readyz", s.readyz)
	get("/metrics", s.showMetrics)
	get("/{$}", s.page)
	get("/page/{file}", s.pageFile)
	mux.Handle("/login", s.methods(map[string]answer{"GET": s.loginPage, "POST": s.login}))
	post("/logout", s.logout)
	get("/v1/node", s.showNode)
	get("/v1/hotfolders", s.showFolders)
	post("/v1/hotfolders/{hotfolder}/scan", s.scan)
	post("/v1/hotfolders/{hotfolder}/pause", s.pause(true))
	post("/v1/hotfolders/{hotfolder}/resume", s.pause(false))
	get("/v1/failed", s.showFailed)
	post("/v1/failed/{id}/retry", s.retry)
	get("/v1/events", s.events)
	get("/v1/cluster", s.showCluster)
	get("/v1/cluster/{node}", s.showMember)
	get("/cluster", s.clusterPage)
	get("/cluster/{node}", s.memberPage)
	post("/v1/cluster/{node}/forget", s.forgetMain)
	post("/v1/cache/clear", s.clearCache)
	post("/v1/drain", s.drain)
	get("/v1/sessions", s.showSessions)
	post("/v1/sessions/{id}/end", s.endSession)
	post("/v1/heard", s.heard)
	get("/v1/why", s.why)
	get("/v1/thumbnails/{hash}/{size}", s.thumbnailByHash)
	mux.Handle("/", s.answering(func(_ http.ResponseWriter, r *http.Request) error {
		return newProblem(http.StatusNotFound, "there is nothing at "+r.URL.EscapedPath())
	}))
	assets := s.methods(s.assetMethods())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.EscapedPath(), assetsPath) {
			r.Pattern = assetsPath
			assets.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// assetMethods leaves a method that the node does not offer out of Allow.
func (s *Server) assetMethods() map[string]answer {
	table := map[string]answer{"GET": s.asset}
	if s.b.PutAsset != nil {
		table["PUT"] = s.putAsset
	}
	if s.b.RemoveAsset != nil {
		table["DELETE"] = s.removeAsset
	}
	return table
}

// methods answers HEAD as GET (net/http leaves the body out) and everything not in the table with 405 and Allow.
func (s *Server) methods(table map[string]answer) http.Handler {
	var allow []string
	for m := range table {
		allow = append(allow, m)
	}
	if get, ok := table["GET"]; ok {
		table["HEAD"], allow = get, append(allow, "HEAD")
	}
	sort.Strings(allow)
	return s.answering(func(w http.ResponseWriter, r *http.Request) error {
		if h, ok := table[r.Method]; ok {
			if err := s.follow(r); err != nil {
				return err
			}
			return h(w, r)
		}
		w.Header().Set("Allow", strings.Join(allow, ", "))
		return newProblem(http.StatusMethodNotAllowed, "this address takes "+strings.Join(allow, ", ")+", not "+Visible(r.Method))
	})
}
