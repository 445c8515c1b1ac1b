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
// there after that write, or by something newer. A reader that has written on several nodes sends all their indexes, as a list.
const indexHeader = "X-Hotfolder-Index"

const (
	indexTimeout = 10 * time.Second // that a read waits for the node to follow
	maxIndex     = 256              // bytes of one
	maxIndexes   = 16               // in one request
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
	if _, sent := r.Header[indexHeader]; !sent {
		return nil
	}
	indexes, err := indexesOf(r.Header)
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	if indexes == nil || !reads || s.b.WaitIndex == nil || !strings.HasPrefix(r.URL.EscapedPath(), "/v1/") {
		return nil
	}
	if err != nil {
		return err
	}
	leave, err := s.mayWait("changes of other nodes")
	if err != nil {
		return err
	}
	defer leave()
	bounded, cancel := context.WithTimeout(r.Context(), indexTimeout)
	defer cancel()
	for _, index := range indexes {
		if err := s.waitIndex(r.Context(), bounded, index); err != nil {
			return err
		}
	}
	return nil
}

// indexesOf reads the list; no index holds a comma.
func indexesOf(h http.Header) ([]string, error) {
	var all []string
	for index := range strings.SplitSeq(strings.Join(h.Values(indexHeader), ","), ",") {
		switch index = strings.TrimSpace(index); {
		case index == "":
		case len(index) > maxIndex || strings.ContainsFunc(index, func(c rune) bool { return c <= ' ' || c > '~' }):
			return []string{index}, newProblem(http.StatusBadRequest, indexHeader+" is what a write answered, unchanged").as(badIndex)
		case len(all) == maxIndexes:
			return all, newProblem(http.StatusBadRequest, fmt.Sprintf("%s holds at most %d indexes", indexHeader, maxIndexes))
		default:
			all = append(all, index)
		}
	}
	return all, nil
}

// mayWait takes a place among the requests that wait, if there is one; leave gives it back.
func (s *Server) mayWait(what string) (leave func(), err error) {
	select {
	case s.waiting <- struct{}{}:
		return func() { <-s.waiting }, nil
	default:
		return nil, newProblem(http.StatusServiceUnavailable, "too many requests wait for "+what).as(busy)
	}
}

func (s *Server) waitIndex(ctx, bounded context.Context, index string) error {
	err := s.b.WaitIndex(bounded, index)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, ErrIndex):
		return newProblem(http.StatusBadRequest, indexHeader+": "+Visible(err.Error())).as(badIndex)
	case bounded.Err() != nil:
		return newProblem(http.StatusServiceUnavailable, fmt.Sprintf("this node has not followed the change %s within %s", index, indexTimeout)).as(behind)
	}
	return newProblem(http.StatusServiceUnavailable, "this node cannot follow the change: "+Visible(err.Error())).as(behind)
}
