package admin

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"hotfolderd/asset"
)

// odd are the headers of requests that are answered like what is read.
var odd = []string{"Range", "If-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range"}

// inPieces is from where on net/http might send an answer in two pieces: its buffer, less a head.
const inPieces = 3 << 10

// knownAnswer is a thumbnail in memory, as it is answered.
type knownAnswer struct {
	KnownThumbnail
	hash asset.Hash
	size int
}

// serveKnown answers plain requests with bytes that are in memory. It is what most requests come to, so it does as little as can be: no
// store, no goroutine, no copy, no word of ranges, and what stands in every such answer is written down beforehand. false: it has answered
// nothing.
func serveKnown(w http.ResponseWriter, r *http.Request, t knownAnswer) bool {
	asked := r.Header.Get("If-None-Match")
	if isOdd(r.Header) || asked != "" && !t.isTagged(asked) {
		return false
	}
	h, c := w.Header(), connOf(r)
	if c == nil {
		describeMade(h, t.hash, t.size, t.Format, t.Sum)
	} else {
		c.lines = t.appendLines(leaveToLines(h, c.lines[:0]))
		h["Content-Type"] = imageTypes[t.Format]
	}
	if asked != "" {
		delete(h, "Content-Type")
		w.WriteHeader(http.StatusNotModified)
		return true
	}
	h["Content-Length"] = []string{strconv.Itoa(len(t.Data))}
	switch {
	case r.Method == http.MethodHead:
	case c != nil && len(t.Data) >= inPieces:
		c.send(w, t.Data)
	default:
		_, _ = w.Write(t.Data) // a client that is gone needs no answer
	}
	return true
}

func (t knownAnswer) isTagged(asked string) bool {
	var b [maxTag]byte
	return asked == string(appendTag(b[:0], t.hash, t.size, t.Format, t.Sum))
}

// leaveToLines takes the headers of every answer out of h, since they are among the lines that it begins.
func leaveToLines(h http.Header, lines []byte) []byte {
	for _, f := range always {
		delete(h, f.name)
	}
	return append(lines, knownLines...)
}

// knownLines are the headers that all thumbnails have in common, as lines.
var knownLines = func() (lines []byte) {
	h := http.Header{}
	setHeaders(h)
	describeMade(h, asset.Hash{}, 0, "", 0)
	for _, own := range []string{"Etag", "Content-Type", sizeHeader} {
		delete(h, own)
	}
	for _, name := range slices.Sorted(maps.Keys(h)) {
		lines = fmt.Appendf(lines, "%s: %s\r\n", name, h.Get(name))
	}
	return lines
}()

// appendLines adds those that are of this one alone, but for the two that net/http must know of.
func (t knownAnswer) appendLines(lines []byte) []byte {
	lines = appendTag(append(lines, "Etag: "...), t.hash, t.size, t.Format, t.Sum)
	lines = append(append(append(lines, "\r\n"...), sizeHeader...), ": "...)
	return append(strconv.AppendInt(lines, int64(t.size), 10), "\r\n"...)
}

func isOdd(h http.Header) bool {
	for _, name := range odd {
		if _, ok := h[name]; ok {
			return true
		}
	}
	return false
}
