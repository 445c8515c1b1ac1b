package admin

import (
	"net/http"
	"strconv"
)

// odd are the headers of requests that are answered like what is read.
var odd = []string{"Range", "If-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range"}

// inPieces is from where on net/http would send an answer in two pieces: its buffer, less a head.
const inPieces = 3 << 10

// serveKnown answers plain requests with bytes that are in memory; the header has their ETag. It is what most requests come to, so it
// does as little as can be: no store, no goroutine, no copy, and no word of ranges. false: it has answered nothing.
func serveKnown(w http.ResponseWriter, r *http.Request, data []byte) bool {
	h := w.Header()
	asked := r.Header.Get("If-None-Match")
	if asked != "" && asked != h.Get("ETag") || isOdd(r.Header) {
		return false
	}
	if asked != "" {
		h.Del("Content-Type")
		w.WriteHeader(http.StatusNotModified)
		return true
	}
	h["Content-Length"] = []string{strconv.Itoa(len(data))}
	switch c := connOf(r); {
	case r.Method == http.MethodHead:
	case c != nil && len(data) >= inPieces:
		c.send(w, data)
	default:
		_, _ = w.Write(data) // a client that is gone needs no answer
	}
	return true
}

func isOdd(h http.Header) bool {
	for _, name := range odd {
		if _, ok := h[name]; ok {
			return true
		}
	}
	return false
}
