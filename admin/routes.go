package admin

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"

	"hotfolderd/admin/access"
)

const (
	assetsPath = "/v1/assets/"
	assetPages = "/assets/"
)

// table is everything that is answered, and who may ask for it: the one place where a role is given rights.
func (s *Server) table() []route {
	return []route{
		get("/livez", access.Anyone, s.livez),
		get("/readyz", access.Anyone, s.readyz),
		get("/page/{file}", access.Anyone, s.pageFile),
		{pattern: "/login", quiet: true, methods: methods{"GET": {access.Anyone, s.loginPage}, "POST": {access.Anyone, s.login}}},
		post("/logout", access.Anyone, s.logout),

		get("/{$}", access.Viewer, s.page),
		{pattern: "/hotfolders/{hotfolder}", methods: methods{"GET": {access.Viewer, s.folderPage}, "POST": {access.Operator, s.dropByForm}}},
		get("/failed", access.Viewer, s.failedPage),
		get("/why", access.Viewer, s.why),
		get("/jobs", access.Viewer, s.jobsPage),
		post("/jobs/{id}/end", access.Operator, s.endJobByForm),
		get("/assets", access.Viewer, s.assetsPage),
		{pattern: assetPages, raw: true, methods: methods{"GET": {access.Viewer, s.assetPage}, "POST": {access.Admin, s.removeByForm}}},
		get("/cluster", access.Viewer, s.clusterPage),
		get("/cluster/{node}", access.Viewer, s.memberPage),

		get("/metrics", access.Viewer, s.showMetrics),
		get("/v1/node", access.Viewer, s.showNode),
		get("/v1/hotfolders", access.Viewer, s.showFolders),
		get("/v1/failed", access.Viewer, s.showFailed),
		get("/v1/events", access.Viewer, s.events),
		get("/v1/cluster", access.Viewer, s.showCluster),
		get("/v1/cluster/{node}", access.Viewer, s.showMember),
		get("/v1/why", access.Viewer, s.why),
		get("/v1/openapi.json", access.Viewer, s.openapi),
		get("/v1/assets", access.Viewer, s.listAssets),
		get("/v1/content/{sha256}", access.Viewer, s.contentByHash),
		get("/v1/thumbnails/{hash}/{size}", access.Viewer, s.thumbnailByHash),
		get("/v1/sessions", access.Operator, s.showSessions),

		post("/v1/hotfolders/{hotfolder}/scan", access.Operator, s.scan),
		post("/v1/hotfolders/{hotfolder}/pause", access.Operator, s.pause(true)),
		post("/v1/hotfolders/{hotfolder}/resume", access.Operator, s.pause(false)),
		post("/v1/failed/retry", access.Operator, s.retryAll),
		post("/v1/failed/{id}/retry", access.Operator, s.retry),
		post("/v1/sessions/{id}/end", access.Operator, s.endSession),

		post("/v1/cluster/{node}/forget", access.Admin, s.forgetMain),
		post("/v1/cache/clear", access.Admin, s.clearCache),
		post("/v1/drain", access.Admin, s.drain),
		{pattern: "/v1/heard", quiet: true, peers: true, methods: methods{"POST": {access.Admin, s.heard}}},
		{pattern: "/v1/scans", quiet: true, peers: true, methods: methods{"POST": {access.Admin, s.lendScan}}},
		{pattern: "/v1/scans/{hotfolder}", quiet: true, peers: true, methods: methods{"PUT": {access.Admin, s.scanBegins}}},

		{pattern: "/v1/jobs", methods: methods{"GET": {access.Viewer, s.showJobs}, "POST": {access.Operator, s.newJob}}},
		{pattern: "/v1/jobs/{id}", methods: methods{"GET": {access.Viewer, s.showJob}, "DELETE": {access.Operator, s.endJob}}},
		post("/v1/jobs/{id}/renew", access.Operator, s.renewJob),

		{pattern: dropsPath, raw: true, methods: methods{"PUT": {access.Operator, s.putDrop}}},
		{pattern: "/v1/hotfolders/{hotfolder}/{path...}", besides: "PUT"},
		{pattern: UploadsPath, methods: s.uploadMethods("POST", "OPTIONS")},
		{pattern: UploadsPath + "/{$}", methods: s.uploadMethods("POST", "OPTIONS")},
		{pattern: UploadsPath + "/{id}", methods: s.uploadMethods("HEAD", "PATCH", "DELETE", "OPTIONS")},

		get("/v1/drops/{upload}", access.Viewer, s.showDrop),

		{pattern: davPath, basic: true, methods: s.davMethods()},
		{pattern: davPath + "/", raw: true, basic: true, methods: s.davMethods()},

		{pattern: workareaPath, raw: true, methods: s.fileMethods()},
		{pattern: jobFilesPath, raw: true, methods: s.fileMethods()},
		{pattern: assetsPath, raw: true, methods: s.assetMethods()},
		{pattern: "/", methods: methods{}, missing: true},
	}
}

// route is one address.
type route struct {
	pattern string // as net/http's mux has it
	raw     bool   // the pattern is a prefix of the path as it was sent, maybe with one {part} in it: the mux would tidy "a//b" into "a/b" instead of refusing it
	missing bool   // there is nothing
	basic   bool   // a name and a token may come by Basic authentication, for clients that know nothing else, as WebDAV's
	peers   bool   // nodes ask each other there
	quiet   bool   // its changes are not those of people, or it writes them down itself
	besides string // a method that a raw route takes there
	methods methods
}

// methods are what an address takes. A method is offered to those who have the role.
type methods map[string]endpoint

type endpoint struct {
	role   access.Role
	answer answer
}

func get(pattern string, role access.Role, h answer) route {
	return route{pattern: pattern, methods: methods{"GET": {role, h}}}
}

func post(pattern string, role access.Role, h answer) route {
	return route{pattern: pattern, methods: methods{"POST": {role, h}}}
}

// routes makes the table answer. Raw routes stand before the mux.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	var raw []rawRoute
	for _, rt := range s.table() {
		if rt.raw {
			raw = append(raw, newRawRoute(rt.pattern, s.serving(rt)))
			continue
		}
		mux.Handle(rt.pattern, s.serving(rt))
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := r.URL.EscapedPath()
		for i := range raw {
			if rt := &raw[i]; rt.takes(r, path) {
				r.Pattern = rt.pattern
				rt.h.ServeHTTP(w, r)
				return
			}
		}
		mux.ServeHTTP(w, r)
	})
}

func (s *Server) uploadMethods(all ...string) methods {
	m := methods{}
	for _, method := range all {
		m[method] = endpoint{access.Operator, s.serveUploads}
	}
	return m
}

// assetMethods leaves a method that the node does not offer out of Allow.
func (s *Server) assetMethods() methods {
	m := methods{"GET": {access.Viewer, s.asset}}
	if s.b.PutAsset != nil {
		m["PUT"] = endpoint{access.Operator, s.putAsset}
	}
	if s.b.RemoveAsset != nil {
		m["DELETE"] = endpoint{access.Admin, s.removeAsset}
	}
	return m
}

// serving answers one route: HEAD as GET (net/http leaves the body out), and what it does not take with 405 and Allow.
func (s *Server) serving(rt route) http.Handler {
	all := maps.Clone(rt.methods)
	if e, ok := all["GET"]; ok {
		all["HEAD"] = e
	}
	allow := cmp.Or(rt.besides, strings.Join(slices.Sorted(maps.Keys(all)), ", "))
	return s.answering(func(w http.ResponseWriter, r *http.Request) error {
		e, ok := all[r.Method]
		switch {
		case !ok && rt.missing:
			e = endpoint{access.Viewer, nowhere}
		case !ok:
			e = endpoint{access.Viewer, notTaken(allow)}
		}
		r, err := s.permit(w, r, e.role, rt)
		if err != nil {
			return err
		}
		if err := s.follow(r); err != nil {
			return err
		}
		return s.audited(rt, w, r, e.answer)
	})
}

func nowhere(_ http.ResponseWriter, r *http.Request) error {
	return newProblem(http.StatusNotFound, "there is nothing at "+r.URL.EscapedPath())
}

func notTaken(allow string) answer {
	return func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Allow", allow)
		return newProblem(http.StatusMethodNotAllowed, "this address takes "+allow+", not "+Visible(r.Method))
	}
}
