package admin

import (
	"net/http"

	"hotfolderd/admin/access"
)

// davPath is where [Drops.DAV] is served.
const davPath = "/dav"

// davMethods are those of WebDAV. Locks bind nobody, but only who may write needs one.
func (s *Server) davMethods() methods {
	m := methods{}
	for _, method := range []string{"OPTIONS", "GET", "PROPFIND"} {
		m[method] = endpoint{access.Viewer, s.serveDAV}
	}
	for _, method := range []string{"PUT", "DELETE", "MKCOL", "MOVE", "COPY", "LOCK", "UNLOCK", "PROPPATCH"} {
		m[method] = endpoint{access.Operator, s.serveDAV}
	}
	return m
}

// serveDAV hands a request to the mounted folder.
func (s *Server) serveDAV(w http.ResponseWriter, r *http.Request) error {
	if s.b.Drops == nil || s.b.Drops.DAV == nil {
		return notOffered("folders to mount")
	}
	if r.Method == http.MethodPut {
		select {
		case s.uploads <- struct{}{}:
			defer func() { <-s.uploads }()
		default:
			return newProblem(http.StatusServiceUnavailable, "too many uploads at a time")
		}
	}
	s.b.Drops.DAV.ServeHTTP(w, r)
	return nil
}
