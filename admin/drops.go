package admin

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"hotfolderd/asset"
)

const (
	dropsPath = "/v1/hotfolders/{hotfolder}/"
	// UploadsPath is where [Drops.Uploads] is served.
	UploadsPath = "/v1/uploads"
	// longestWait is how long an upload may ask to wait for its import.
	longestWait = 5 * time.Minute
	// oneLook is how long it may take to find out what became of an upload that nobody waits for.
	oneLook = time.Second
)

// Drops takes files into hotfolders by HTTP.
type Drops struct {
	// Put takes all of r as one drop, or nothing. What would be refused anyway is refused before r is read. r may take as long as it
	// brings bytes; an error of r stores nothing.
	Put func(ctx context.Context, a Arrival, r io.Reader) (Drop, error)
	// Await returns when a drop's walk has ended, or the context has; then with what is known so far.
	Await func(ctx context.Context, d Drop) (Drop, error)
	// AwaitUpload is Await of what an upload by tus became. An error that wraps fs.ErrNotExist says that there is none, or not any more.
	AwaitUpload func(ctx context.Context, upload string) (Drop, error)
	// Uploads speaks the tus protocol below [UploadsPath].
	Uploads http.Handler
	// DAV is a folder to mount, at /dav.
	DAV http.Handler
}

// Arrival is a file that is about to come.
type Arrival struct {
	Hotfolder string
	Key       asset.Key
	Size      int64      // below 0: not known
	Hash      asset.Hash // that its bytes must have; zero: not known
}

// DropState is how far a drop has come.
type DropState string

// The states of a drop.
const (
	DropComing   DropState = "coming"   // an upload that does not have all its bytes
	DropStored   DropState = "stored"   // durable; it is imported soon
	DropWaiting  DropState = "waiting"  // durable; an earlier drop has its name and comes first
	DropImported DropState = "imported" // Name and Number say as what
	DropSkipped  DropState = "skipped"  // the rule kept the bytes that the name had
	DropFailed   DropState = "failed"   // Reason says why
)

// Drop is a file that came whole.
type Drop struct {
	Hotfolder string        `json:"hotfolder"`
	Key       asset.Key     `json:"path"`
	Version   asset.Version `json:"-"`
	ID        asset.DropID  `json:"drop,omitempty"` // its name in the ledger; empty while it waits
	Size      int64         `json:"size"`
	Hash      asset.Hash    `json:"sha256"`
	State     DropState     `json:"state"`
	Name      asset.Key     `json:"name,omitempty"`   // of the asset
	Number    int           `json:"number,omitempty"` // version of that name
	Reason    string        `json:"reason,omitempty"`
	Story     string        `json:"story"` // where to ask for what happened to it
}

// putDrop takes the body as a drop, whole or not at all.
func (s *Server) putDrop(w http.ResponseWriter, r *http.Request) error {
	if s.b.Drops == nil {
		return notOffered("drops by HTTP")
	}
	a, err := arrivalOf(r)
	if err != nil {
		return err
	}
	wait, err := waitOf(r)
	if err != nil {
		return err
	}
	u := newUpload(w, r)
	d, stop, err := askFor(r.Context(), s.uploads, u.patience, func(ctx context.Context) (Drop, error) { return s.b.Drops.Put(ctx, a, u) }, nil)
	stop()
	clientErr := u.end()
	if err != nil {
		return putFault(a.Key, err, clientErr)
	}
	d.Story = "/v1/why?path=" + url.QueryEscape(d.Hotfolder+"/"+string(d.Key))
	if wait > 0 {
		if d, err = s.awaitDrop(w, r, d, wait); err != nil {
			return err
		}
	}
	return s.tellDrop(w, d)
}

// awaitDrop lets the answer wait for the import.
func (s *Server) awaitDrop(w http.ResponseWriter, r *http.Request, d Drop, wait time.Duration) (Drop, error) {
	leave, err := s.mayWait("imports")
	if err != nil {
		return d, nil // it is stored; only the waiting is not offered just now
	}
	defer leave()
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(wait + writeTimeout)) // not every writer has one
	ctx, cancel := context.WithTimeout(r.Context(), wait)
	defer cancel()
	return s.b.Drops.Await(ctx, d)
}

// showDrop tells what became of an upload by tus, whichever node took it, and waits for its import.
func (s *Server) showDrop(w http.ResponseWriter, r *http.Request) error {
	if s.b.Drops == nil || s.b.Drops.AwaitUpload == nil {
		return notOffered("drops by HTTP")
	}
	wait, err := waitOf(r)
	if err != nil {
		return err
	}
	leave, err := s.mayWait("imports")
	if err != nil {
		return err
	}
	defer leave()
	wait = max(wait, oneLook)
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(wait + writeTimeout)) // not every writer has one
	ctx, cancel := context.WithTimeout(r.Context(), wait)
	defer cancel()
	d, err := s.b.Drops.AwaitUpload(ctx, r.PathValue("upload"))
	if errors.Is(err, fs.ErrNotExist) {
		return newProblem(http.StatusNotFound, "there is no such upload, or it was forgotten")
	}
	if err != nil {
		return err
	}
	d.Story = "/v1/why?path=" + url.QueryEscape(d.Hotfolder+"/"+string(d.Key))
	return writeJSON(w, http.StatusOK, d)
}

// tellDrop answers 201 for what is a drop, 202 for what will be one, and 422 for one that could not be imported.
func (s *Server) tellDrop(w http.ResponseWriter, d Drop) error {
	h := w.Header()
	h.Set("Hotfolder-Story", d.Story)
	if d.ID != "" {
		h.Set("Hotfolder-Drop", string(d.ID))
	}
	status := http.StatusCreated
	switch d.State {
	case DropWaiting:
		status = http.StatusAccepted
	case DropFailed:
		return newProblem(http.StatusUnprocessableEntity, "it was stored, and could not be imported: "+Visible(d.Reason))
	case DropImported:
		h.Set("Location", assetURL(d.Name))
		s.tellIndex(w)
	}
	return writeJSON(w, status, d)
}

// arrivalOf reads what is about to come.
func arrivalOf(r *http.Request) (a Arrival, err error) {
	hotfolder, err := url.PathUnescape(r.PathValue("hotfolder"))
	if err != nil {
		return a, newProblem(http.StatusBadRequest, "the hotfolder's name is not percent-encoded as it should be")
	}
	_, after, _ := strings.Cut(strings.TrimPrefix(r.URL.EscapedPath(), "/v1/hotfolders/"), "/")
	path, err := url.PathUnescape(after)
	if err != nil {
		return a, fmt.Errorf("%w: %q is not percent-encoded as it should be", asset.ErrKey, after)
	}
	a = Arrival{Hotfolder: hotfolder, Size: r.ContentLength}
	if a.Key, err = asset.ParseKey(path); err != nil {
		return a, err
	}
	if err = sentAsItIs(r.Header); err != nil {
		return a, err
	}
	if r.ContentLength == 0 && r.Header.Get("Content-Length") == "" {
		return a, newProblem(http.StatusLengthRequired, "send Content-Length, or the chunked transfer coding")
	}
	a.Hash, err = digestOf(r.Header)
	return a, err
}

// digestOf reads the SHA-256 out of the digest fields of RFC 9530; zero when there is none. Both speak of the same bytes here.
func digestOf(h http.Header) (hash asset.Hash, err error) {
	for _, name := range []string{"Repr-Digest", "Content-Digest"} {
		for field := range strings.SplitSeq(strings.Join(h.Values(name), ","), ",") {
			text, ours := strings.CutPrefix(strings.TrimSpace(field), "sha-256=")
			if !ours {
				continue
			}
			raw, err := base64.StdEncoding.DecodeString(strings.Trim(text, ":"))
			if err != nil || len(raw) != len(hash) || len(text) < 2 || text[0] != ':' || text[len(text)-1] != ':' {
				return hash, newProblem(http.StatusBadRequest, name+" is written as sha-256=:<base64>:")
			}
			if other := asset.Hash(raw); !hash.IsZero() && hash != other {
				return hash, newProblem(http.StatusBadRequest, "the digests that were sent differ")
			}
			hash = asset.Hash(raw)
		}
	}
	return hash, nil
}

// waitOf reads how long the answer may wait for the import: ?wait=30s, or Prefer: wait=30.
func waitOf(r *http.Request) (time.Duration, error) {
	text := r.URL.Query().Get("wait")
	for field := range strings.FieldsFuncSeq(strings.Join(r.Header.Values("Prefer"), ","), func(c rune) bool { return c == ',' || c == ';' }) {
		if seconds, ok := strings.CutPrefix(strings.TrimSpace(field), "wait="); ok && text == "" {
			text = seconds + "s"
		}
	}
	if text == "" {
		return 0, nil
	}
	if _, err := strconv.Atoi(text); err == nil {
		text += "s"
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, newProblem(http.StatusBadRequest, "wait is a time, as 30s")
	}
	return min(d, longestWait), nil
}

// serveUploads hands a request to the tus protocol.
func (s *Server) serveUploads(w http.ResponseWriter, r *http.Request) error {
	if s.b.Drops == nil || s.b.Drops.Uploads == nil {
		return notOffered("resumable uploads")
	}
	select {
	case s.uploads <- struct{}{}:
		defer func() { <-s.uploads }()
	default:
		return newProblem(http.StatusServiceUnavailable, "too many uploads at a time")
	}
	s.b.Drops.Uploads.ServeHTTP(w, r)
	return nil
}
