package admin

import (
	"fmt"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"time"
)

// MemberDetail is all that this node knows of one member.
type MemberDetail struct {
	Member
	Seen       string      `json:"seen_by"` // the node that tells this
	Contact    bool        `json:"contact"` // of that node; without it the rest is old
	Main       bool        `json:"main"`
	Drift      []string    `json:"drift"`      // how it differs from the others
	Partitions []Partition `json:"partitions"` // that it holds; what it has in hand only it knows
	Logs       []Origin    `json:"logs"`       // its changes, and how far the node that tells this has followed them
}

// member finds one; fs.ErrNotExist.
func (s *Server) member(id string) (MemberDetail, error) {
	if s.b.Cluster == nil {
		return MemberDetail{}, alone()
	}
	c := s.b.Cluster().whole()
	at := slices.IndexFunc(c.Members, func(m Member) bool { return m.ID == id })
	if at < 0 {
		return MemberDetail{}, fmt.Errorf("there is no live member %q: %w", id, fs.ErrNotExist)
	}
	d := MemberDetail{
		Member: c.Members[at], Seen: c.Node, Contact: c.Contact, Main: c.Main == id, Drift: []string{}, Partitions: []Partition{}, Logs: []Origin{},
	}
	for _, text := range c.Drift {
		if mentions(text, id) {
			d.Drift = append(d.Drift, text)
		}
	}
	for _, o := range c.Invalidation.Origins {
		if strings.HasPrefix(o.Log, id+".") {
			d.Logs = append(d.Logs, o)
		}
	}
	switch {
	case d.Self:
		d.Partitions = c.Partitions
	case s.b.HeldBy != nil:
		d.Partitions = append(d.Partitions, s.b.HeldBy(id)...)
	}
	return d, nil
}

// mentions reports whether a sentence names a node, and not only one whose id begins or ends like its own.
func mentions(text, id string) bool {
	for at := 0; ; at++ {
		i := strings.Index(text[at:], id)
		if i < 0 {
			return false
		}
		at += i
		if !strings.ContainsAny(text[max(0, at-1):at]+text[at+len(id):min(len(text), at+len(id)+1)], idLetters) {
			return true
		}
	}
}

// idLetters are those of an id.
const idLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"

func (s *Server) showMember(w http.ResponseWriter, r *http.Request) error {
	d, err := s.member(r.PathValue("node"))
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, d)
}

type memberPage struct {
	frame
	M              memberView
	Detail         MemberDetail
	CanDrain       bool
	CanClear       bool
	Logs           []originView
	PartitionsText string
	Cache          []number // of the node itself only, as Memory
	Memory         []number
	Invalidation   Invalidation
}

// memberPage is made from memory alone.
func (s *Server) memberPage(w http.ResponseWriter, r *http.Request) error {
	d, err := s.member(r.PathValue("node"))
	if err != nil {
		return err
	}
	now, c := time.Now(), s.b.Cluster()
	v := memberPage{frame: s.frame(r, "/cluster", crumb{"/cluster", "Cluster"}), Detail: d, CanDrain: s.b.Drain != nil, CanClear: s.b.ClearCache != nil, Invalidation: c.Invalidation}
	for _, m := range memberViews(c, now) {
		if m.ID == d.ID {
			v.M = m
		}
	}
	for _, o := range d.Logs {
		v.Logs = append(v.Logs, originViewOf(o))
	}
	v.PartitionsText = fmt.Sprintf("%d held", len(d.Partitions))
	if d.Self {
		v.Memory = memoryNumbers(s.b.Node().Memory)
		v.PartitionsText, v.Cache = partitionsText(d.Partitions), changesOf(c.Invalidation)
	}
	return s.render(w, http.StatusOK, "member.html", v)
}
