package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// uploads are what played nodes share of tus: one upload, which becomes a drop when it has all bytes.
type uploads struct {
	mu      sync.Mutex
	meta    string
	size    int
	came    []byte
	begun   int
	drops   int
	patches int
	// trouble comes into the n-th request with bytes, from 1: it says how many of them are kept, and whether the node then breaks off.
	trouble func(n int) (keep int, breaks bool)
	refuse  int // the status of everything, when it is not 0
	unknown int // so many questions are answered by 404
}

// plays has nodes answer by it.
func (u *uploads) plays(p *played) {
	for _, n := range p.nodes {
		n.before = func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.HasPrefix(r.URL.Path, uploadsPath) {
				return false
			}
			u.serve(w, r)
			return true
		}
	}
}

func (u *uploads) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case u.refuse != 0:
		problem(w, u.refuse, "it is refused")
	case r.Method == http.MethodPost:
		u.begun++
		u.meta, u.came = r.Header.Get("Upload-Metadata"), nil
		u.size, _ = strconv.Atoi(r.Header.Get("Upload-Length"))
		w.Header().Set("Location", uploadsPath+"/"+strconv.Itoa(u.begun))
		u.told(w, http.StatusCreated)
	case u.unknown > 0 || r.URL.Path != uploadsPath+"/"+strconv.Itoa(u.begun):
		u.unknown--
		problem(w, http.StatusNotFound, "there is no such upload")
	case r.Method == http.MethodHead:
		u.told(w, http.StatusOK)
	case r.Header.Get("Upload-Offset") != strconv.Itoa(len(u.came)):
		problem(w, http.StatusConflict, "ask for its offset")
	default:
		u.take(w, body)
	}
}

func (u *uploads) take(w http.ResponseWriter, body []byte) {
	u.patches++
	keep, breaks := len(body), false
	if u.trouble != nil {
		keep, breaks = u.trouble(u.patches)
	}
	u.came = append(u.came, body[:min(keep, len(body))]...)
	if len(u.came) == u.size {
		u.drops++
	}
	if breaks {
		panic(http.ErrAbortHandler)
	}
	u.told(w, http.StatusNoContent)
}

func (u *uploads) told(w http.ResponseWriter, status int) {
	w.Header().Set("Upload-Offset", strconv.Itoa(len(u.came)))
	if len(u.came) == u.size {
		w.Header().Set("Hotfolder-Drop", "a-drop")
		w.Header().Set("Hotfolder-Story", "/v1/why")
	}
	w.WriteHeader(status)
}

func TestDrop_goesOnFromWhatTheNodesHave(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789"), 10_000)
	for name, trouble := range map[string]func(n int) (int, bool){
		"none":                       nil,
		"broken off, a part is kept": func(n int) (int, bool) { return 30_000, n < 4 },
		"broken off, nothing kept":   func(n int) (int, bool) { return n * n * 10_000 * (n / 3), n < 3 },
		"the last answer is lost":    func(int) (int, bool) { return 100_000, true },
		"taken in pieces":            func(int) (int, bool) { return 40_000, false },
	} {
		t.Run(name, func(t *testing.T) {
			p, u := play(t, 3), &uploads{trouble: trouble}
			u.plays(p)
			var sent int64
			got, err := p.client(Options{}).Drop(t.Context(), "inbox", "sub/a.bin", bytes.NewReader(data), DropOptions{Progress: func(n int64) { sent = n }})
			if err != nil || got.Size != int64(len(data)) || sent != got.Size {
				t.Fatalf("want all of it, got %+v, %d sent, %v", got, sent, err)
			}
			if !bytes.Equal(u.came, data) || u.drops != 1 || u.begun != 1 || u.meta != "hotfolder aW5ib3g=,path c3ViL2EuYmlu" {
				t.Errorf("want one drop of the same bytes, got %d bytes, %d drops, %d times begun, %q", len(u.came), u.drops, u.begun, u.meta)
			}
			if lost := name == "the last answer is lost"; (got.ID == "") != lost || (got.Story == "") != lost {
				t.Errorf("want its name when it was heard, got %+v", got)
			}
		})
	}
}

func TestDrop_ofNothingIsAnEmptyDrop(t *testing.T) {
	p, u := play(t, 1), &uploads{}
	u.plays(p)
	if got, err := p.client(Options{}).Drop(t.Context(), "inbox", "empty", strings.NewReader(""), DropOptions{}); err != nil || got.ID != "a-drop" || got.Size != 0 || got.Upload != "1" {
		t.Errorf("want it dropped, got %+v, %v", got, err)
	}
}

func TestDrop_whatNobodyKnowsAnyMoreIsBegunAgainButNotForEver(t *testing.T) {
	p, u := play(t, 2), &uploads{unknown: 1}
	u.plays(p)
	c := p.client(Options{})
	if _, err := c.Drop(t.Context(), "inbox", "a", strings.NewReader("abc"), DropOptions{}); err != nil || u.begun != 2 || string(u.came) != "abc" {
		t.Errorf("want it begun again, got %d times, %q, %v", u.begun, u.came, err)
	}
	u.unknown, u.begun = 100, 0
	if _, err := c.Drop(t.Context(), "inbox", "a", strings.NewReader("abc"), DropOptions{}); !errors.Is(err, fs.ErrNotExist) || u.begun != mostAnew {
		t.Errorf("want an end after %d times, got %d, %v", mostAnew, u.begun, err)
	}
}

func TestDrop_refusalsAreErrors(t *testing.T) {
	for status, want := range map[int]error{422: ErrRequest, 404: fs.ErrNotExist, 409: fs.ErrExist, 507: ErrFull, 403: fs.ErrPermission, 503: ErrNotNow} {
		p, u := play(t, 2), &uploads{refuse: status}
		u.plays(p)
		began := time.Now()
		_, err := p.client(Options{Patience: 300 * time.Millisecond}).Drop(t.Context(), "inbox", "a", strings.NewReader("abc"), DropOptions{})
		if !errors.Is(err, want) || time.Since(began) > 20*time.Second {
			t.Errorf("%d: want %v, got %v after %v", status, want, err, time.Since(began))
		}
	}
	p, u := play(t, 1), &uploads{}
	u.plays(p)
	if _, err := p.client(Options{}).Drop(t.Context(), "inbox", "a//b", strings.NewReader(""), DropOptions{}); err == nil {
		t.Error("want a name refused that is none")
	}
	ctx, cancel := context.WithCancel(t.Context())
	u.trouble = func(int) (int, bool) { cancel(); return 0, true }
	if _, err := p.client(Options{}).Drop(ctx, "inbox", "a", strings.NewReader("abc"), DropOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("want it to end with its context, got %v", err)
	}
	bad := fmt.Errorf("the disk is gone")
	if _, err := p.client(Options{}).Drop(t.Context(), "inbox", "a", &failing{*strings.NewReader("ten  bytes"), bad}, DropOptions{}); !errors.Is(err, bad) {
		t.Errorf("want the reader's own error, got %v", err)
	}
}

func TestAwaitDrop_asksUntilItHasEnded(t *testing.T) {
	for end, want := range map[string]error{
		`{"state": "imported", "name": "a", "number": 3}`:  nil,
		`{"state": "skipped", "reason": "it kept them"}`:   nil,
		`{"state": "failed", "reason": "it is broken"}`:    nil,
		`{"state": "stored", "reason": "nobody noted it"}`: ErrUnknownEnd,
		``: fs.ErrNotExist,
	} {
		p, asked := play(t, 2), 0
		var mu sync.Mutex
		for _, n := range p.nodes {
			n.before = func(w http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path != "/v1/drops/x.inbox" || r.URL.Query().Get("wait") == "" {
					return false
				}
				mu.Lock()
				defer mu.Unlock()
				switch asked++; {
				case asked == 1:
					panic(http.ErrAbortHandler) // it dies while somebody waits
				case asked == 2:
					fmt.Fprint(w, `{"state": "waiting"}`)
				case end == "":
					problem(w, http.StatusNotFound, "there is no such upload")
				default:
					fmt.Fprint(w, end)
				}
				return true
			}
		}
		got, err := p.client(Options{}).AwaitDrop(t.Context(), Dropped{Upload: "x.inbox"})
		if asked != 3 || !errors.Is(err, want) || want == nil && !strings.Contains(end, string(got.State)) {
			t.Errorf("%s: want it and %v after 3 questions, got %+v, %v after %d", end, want, got, err, asked)
		}
	}
}
