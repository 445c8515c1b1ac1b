package admin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// indexHeader carries the place of a change: an answer to a write tells it, and a read that sends it is answered by what was
// there after that write, or by something newer.
const indexHeader = "X-Hotfolder-Index"

const (
	indexTimeout = 10 * time.Second // that a read waits for the node to follow
	maxIndex     = 256              // bytes
)

// tellIndex is called when a write was done and before its answer begins.
func (s *Server) tellIndex(w http.ResponseWriter) {
	if s.b.Index == nil {
		return
	}
	if index := s.b.Index(); index != "" {
		w.Header().Set(indexHeader, index)
	}
}

// follow makes a read of the API wait for the index that it sends. A node that is alone has nothing to follow.
func (s *Server) follow(r *http.Request) error {
	index := r.Header.Get(indexHeader)
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	if index == "" || !reads || s.b.WaitIndex == nil || !strings.HasPrefix(r.URL.EscapedPath(), "/v1/") {
		return nil
	}
	if len(index) > maxIndex || strings.ContainsFunc(index, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return newProblem(http.StatusBadRequest, indexHeader+" is what a write answered, unchanged")
	}
	select {
	case s.waiting <- struct{}{}:
		defer func() { <-s.waiting }()
	default:
		return newProblem(http.StatusServiceUnavailable, "too many requests wait for changes of other nodes")
	}
	return s.waitIndex(r.Context(), index)
}

func (s *Server) waitIndex(ctx context.Context, index string) error {
	bounded, cancel := context.WithTimeout(ctx, indexTimeout)
	defer cancel()
	err := s.b.WaitIndex(bounded, index)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, ErrIndex):
		return newProblem(http.StatusBadRequest, indexHeader+": "+Visible(err.Error()))
	case bounded.Err() != nil:
		return newProblem(http.StatusServiceUnavailable, fmt.Sprintf("this node has not followed the change %s within %s", index, indexTimeout))
	}
	return newProblem(http.StatusServiceUnavailable, "this node cannot follow the change: "+Visible(err.Error()))
}
