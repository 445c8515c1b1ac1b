package admin

import (
	"net/http"
	"strings"
)

// rawRoute is a route that is raw, its pattern "before{name}after" taken apart.
type rawRoute struct {
	before, name, after string
	pattern             string
	method              string // the only one that comes here: what else is there the mux knows. Empty: all
	h                   http.Handler
}

func newRawRoute(pattern string, h http.Handler) rawRoute {
	before, rest, _ := strings.Cut(pattern, "{")
	name, after, _ := strings.Cut(rest, "}")
	rt := rawRoute{before: before, name: name, after: after, pattern: pattern, h: h}
	if pattern == dropsPath {
		rt.method = http.MethodPut
	}
	return rt
}

// takes reports whether the route is that of a request, whose path is given as it was sent. The part of it that has a name becomes a
// path value.
func (rt *rawRoute) takes(r *http.Request, path string) bool {
	rest, ok := strings.CutPrefix(path, rt.before)
	if !ok || rt.method != "" && rt.method != r.Method {
		return false
	}
	if rt.name == "" {
		return true
	}
	part, _, _ := strings.Cut(rest, "/")
	if part == "" || !strings.HasPrefix(rest[len(part):], rt.after) {
		return false
	}
	r.SetPathValue(rt.name, part)
	return true
}
