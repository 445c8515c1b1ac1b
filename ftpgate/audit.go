package ftpgate

import (
	"time"

	"hotfolderd/asset"
)

// Event is something that a client did or was refused.
type Event struct {
	Time    time.Time
	Session string
	User    string // as the client said it, when the login failed
	Address string
	TLS     bool
	// Kind: login, logout, upload, download, delete, rename, mkdir or rmdir.
	Kind      string
	Hotfolder string
	Key       asset.Key // relative to the hotfolder
	To        asset.Key // of a rename
	Size      int64     // bytes of the file; of one that was not whole, those that came
	Took      time.Duration
	// Refused says why it did not happen; empty when it did.
	Refused string
	// Kept: what came of an upload that broke is kept for its owner to go on with.
	Kept bool
}

// audit completes an event and tells it.
func (s *session) audit(e Event) {
	e.Time, e.Session, e.Address, e.TLS = time.Now(), s.id, s.client.String(), s.c.encrypted()
	if u := s.account(); u != nil && e.User == "" {
		e.User = u.Name
	}
	s.g.o.Audit(e)
}

// on is an event about a place.
func (p place) on(kind string) Event { return Event{Kind: kind, Hotfolder: p.hotfolder, Key: p.key} }
