package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// What an [*Error] may wrap, beside fs.ErrNotExist, fs.ErrExist (it does not go with how things are) and fs.ErrPermission (no token, a
// wrong one, or one that may not do this).
var (
	ErrCondition = errors.New("the condition of the request does not hold")
	ErrNotNow    = errors.New("no node can do this now")
	ErrReadOnly  = errors.New("the node is read-only") // wraps ErrNotNow too
	ErrFull      = errors.New("no space is left, or a quota is used up")
	ErrRequest   = errors.New("the request cannot be served as it is")
)

var (
	// ErrNoNode: no node has served the request within the client's patience. The last node's reason is wrapped too.
	ErrNoNode = errors.New("no node serves the request")
	// ErrUnreadable: a name could not be listed; the others are.
	ErrUnreadable = errors.New("a name could not be read")
	// ErrCorrupt: the bytes that came, or that were stored, are not those of the hash.
	ErrCorrupt = errors.New("the bytes do not have the hash that they should have")
)

// Error is what a node answers to a request that it does not serve: an RFC 9457 problem.
type Error struct {
	Status int
	Type   string // a word for programs, as urn:hotfolderd:problem:read-only
	Title  string
	Detail string // one sentence for people, in the node's words
	Node   string // its address

	after time.Duration // before which it does not want to be asked again
	again bool          // an earlier answer to the same request may have been lost
}

func (e *Error) Error() string {
	text := e.Detail
	if text == "" {
		text = fmt.Sprintf("%d %s", e.Status, e.Title)
	}
	return fmt.Sprintf("%s (said by %s)", text, e.Node)
}

// Unwrap gives the kinds of the error.
func (e *Error) Unwrap() []error {
	var all []error
	if kind := e.kind(); kind != nil {
		all = append(all, kind)
	}
	if strings.HasSuffix(e.Type, ":read-only") {
		all = append(all, ErrReadOnly)
	}
	return all
}

func (e *Error) kind() error {
	switch e.Status {
	case http.StatusNotFound, http.StatusGone:
		return fs.ErrNotExist
	case http.StatusConflict:
		return fs.ErrExist
	case http.StatusUnauthorized, http.StatusForbidden:
		return fs.ErrPermission
	case http.StatusPreconditionFailed:
		return ErrCondition
	case http.StatusServiceUnavailable, http.StatusTooManyRequests, http.StatusGatewayTimeout, http.StatusBadGateway:
		return ErrNotNow
	case http.StatusInsufficientStorage, http.StatusRequestEntityTooLarge:
		return ErrFull
	case http.StatusInternalServerError:
		return nil
	}
	return ErrRequest
}

// elsewhere reports whether another node, or the same one later, may do better.
func (e *Error) elsewhere() bool {
	switch e.Status {
	case http.StatusServiceUnavailable, http.StatusTooManyRequests, http.StatusGatewayTimeout, http.StatusBadGateway,
		http.StatusInternalServerError, http.StatusNotImplemented, http.StatusRequestTimeout:
		return true
	}
	return false
}

const maxProblem = 64 << 10

// errorOf reads an answer that is none of success, and closes it.
func errorOf(res *http.Response, base string) *Error {
	defer res.Body.Close()
	e := &Error{Status: res.StatusCode, Title: http.StatusText(res.StatusCode), Node: base, after: retryAfter(res.Header, time.Now())}
	var told struct{ Type, Title, Detail string }
	if json.NewDecoder(io.LimitReader(res.Body, maxProblem)).Decode(&told) == nil {
		e.Type, e.Detail = told.Type, told.Detail
		if told.Title != "" {
			e.Title = told.Title
		}
	}
	return e
}

const longestAfter = time.Minute

// retryAfter reads seconds or a date.
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := h.Get("Retry-After")
	if n, err := strconv.Atoi(text); err == nil {
		return min(max(0, time.Duration(n)*time.Second), longestAfter)
	}
	if t, err := http.ParseTime(text); err == nil {
		return min(max(0, t.Sub(now)), longestAfter)
	}
	return 0
}
