package admin

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"hotfolderd/asset"
)

// ErrNoScan is what Backend.Lend returns when this node does not scan for others what they ask for.
var ErrNoScan = errors.New("this node does not scan that for others")

// ScanAsk is what a node wants of the next whole scan of another, which makes it for all.
type ScanAsk struct {
	Hotfolder string `json:"hotfolder"`
	Join      bool   `json:"join,omitempty"` // only of one that is just about to begin
	Rules     string `json:"rules"`          // the hash of those in force at the node that asks
	Holds     string `json:"holds"`          // its partitions, a letter for each
}

// Scanned is a line of the answer: a thing that was found, nothing as a sign of life, or the end. Without that it is not all.
type Scanned struct {
	Key     asset.Key     `json:"key,omitempty"`
	Kind    uint8         `json:"kind,omitempty"`
	Size    int64         `json:"size,omitempty"`
	Version asset.Version `json:"version,omitempty"`
	Changed time.Time     `json:"changed,omitzero"`

	Ended   bool          `json:"ended,omitempty"`
	Ignored int           `json:"ignored,omitempty"`
	Refused int           `json:"refused,omitempty"`
	Took    time.Duration `json:"took,omitempty"`
}

const (
	maxScanAsk   = 1 << 20
	scannedFlush = 100 * time.Millisecond // lines that were found wait no longer for others than until the next one after that
)

// lendScan tells another node what this one's next scan finds, line by line.
func (s *Server) lendScan(w http.ResponseWriter, r *http.Request) error {
	if s.b.Lend == nil {
		return notOffered("imports")
	}
	var ask ScanAsk
	if err := json.NewDecoder(io.LimitReader(r.Body, maxScanAsk)).Decode(&ask); err != nil {
		return newProblem(http.StatusBadRequest, "expected what is wanted of a scan: "+Visible(err.Error()))
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	out := newLines(w)
	end, err := s.b.Lend(r.Context(), ask, out.line)
	switch {
	case err == nil:
		err = errors.Join(out.write(&end), out.flush())
	case errors.Is(err, ErrNoScan):
		return newProblem(http.StatusConflict, fmt.Sprintf("this node does not scan %q for you now", ask.Hotfolder))
	}
	if err != nil {
		panic(http.ErrAbortHandler) // half a scan is none
	}
	return nil
}

// scanBegins hears that another node is about to scan for all.
func (s *Server) scanBegins(w http.ResponseWriter, r *http.Request) error {
	if s.b.Joins == nil {
		return notOffered("imports")
	}
	s.b.Joins(r.PathValue("hotfolder"))
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// lines writes one value a line, many at a time.
type lines struct {
	buf     *bufio.Writer
	json    *json.Encoder
	c       *http.ResponseController
	flushed time.Time
}

func newLines(w http.ResponseWriter) *lines {
	l := &lines{buf: bufio.NewWriterSize(w, 32<<10), c: http.NewResponseController(w), flushed: time.Now()}
	l.json = json.NewEncoder(l.buf)
	return l
}

// line writes what was found; nil is a sign of life, which is sent at once.
func (l *lines) line(found *Scanned) error {
	if found == nil {
		return errors.Join(l.write(&Scanned{}), l.flush())
	}
	if err := l.write(found); err != nil || time.Since(l.flushed) < scannedFlush {
		return err
	}
	return l.flush()
}

func (l *lines) write(found *Scanned) error { return l.json.Encode(found) }

func (l *lines) flush() error {
	_ = l.c.SetWriteDeadline(time.Now().Add(eventWrite)) // a writer without deadlines is a test's
	l.flushed = time.Now()
	if err := l.buf.Flush(); err != nil {
		return err
	}
	return l.c.Flush()
}
