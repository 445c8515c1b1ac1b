package admin

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"hotfolderd/asset"
)

// Session is one client of the node's FTP gate.
type Session struct {
	ID      string    `json:"id"`
	User    string    `json:"user"` // empty before login
	Address string    `json:"address"`
	Since   time.Time `json:"since"`
	TLS     bool      `json:"tls"`
	Doing   string    `json:"doing"` // upload, download, list or nothing
	Path    string    `json:"path"`  // of the transfer, in the user's view
	Moved   int64     `json:"moved"` // bytes of the transfer so far
}

// Heard is a drop that is known to be whole: a gate's client has heard that it is stored. Or, with the door share, one that was seen.
type Heard struct {
	Hotfolder string        `json:"hotfolder"`
	Key       asset.Key     `json:"key"`
	Version   asset.Version `json:"version"`
	Door      asset.Door    `json:"door"`
}

// Most that one request may tell.
const (
	MaxHeard     = 1000
	maxHeardBody = 4 << 20
)

func noGate() *problem {
	return newProblem(http.StatusNotImplemented, "this node has no FTP gate: it needs the role ftp and ftp.users_file")
}

func (s *Server) showSessions(w http.ResponseWriter, _ *http.Request) error {
	if s.b.Sessions == nil {
		return noGate()
	}
	return writeJSON(w, http.StatusOK, map[string]any{"sessions": append([]Session{}, s.b.Sessions()...)})
}

func (s *Server) endSession(w http.ResponseWriter, r *http.Request) error {
	if s.b.EndSession == nil {
		return noGate()
	}
	id := r.PathValue("id")
	if !s.b.EndSession(id) {
		return newProblem(http.StatusNotFound, fmt.Sprintf("there is no session %q on this node", id))
	}
	return writeJSON(w, http.StatusOK, map[string]any{"id": id, "ended": true})
}

// heard takes what another node's gate says; a drop that is not this node's, or of a hotfolder that it does not know, means nothing
// here.
func (s *Server) heard(w http.ResponseWriter, r *http.Request) error {
	if s.b.Heard == nil {
		return notOffered("imports")
	}
	var told []Heard
	if err := json.NewDecoder(io.LimitReader(r.Body, maxHeardBody)).Decode(&told); err != nil {
		return newProblem(http.StatusBadRequest, "expected a list of drops: "+Visible(err.Error()))
	}
	if len(told) > MaxHeard {
		return newProblem(http.StatusBadRequest, fmt.Sprintf("at most %d drops at a time", MaxHeard))
	}
	for _, h := range told {
		if _, err := asset.ParseKey(string(h.Key)); err != nil {
			return err
		}
	}
	s.b.Heard(told)
	return writeJSON(w, http.StatusAccepted, map[string]any{"heard": len(told)})
}
