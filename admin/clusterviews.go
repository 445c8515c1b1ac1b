package admin

import (
	"fmt"
	"math"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

type clusterView struct {
	frame
	Seen           Cluster
	Summary        string
	Members        []memberView
	Origins        []originView
	Changes        []number
	PartitionsText string
	MainLost       bool
}

// clusterPage is made from memory alone.
func (s *Server) clusterPage(w http.ResponseWriter, r *http.Request) error {
	if s.b.Cluster == nil {
		return alone()
	}
	now, c := time.Now(), s.b.Cluster()
	v := clusterView{
		frame: s.frame(r, "/cluster"), Seen: c, Summary: summaryOf(c.Members), Members: memberViews(c, now),
		Changes: changesOf(c.Invalidation), MainLost: mainLost(c),
		PartitionsText: partitionsText(c.Partitions),
	}
	for _, o := range c.Invalidation.Origins {
		v.Origins = append(v.Origins, originViewOf(o))
	}
	return s.render(w, http.StatusOK, "cluster.html", v)
}

func changesOf(i Invalidation) []number {
	return []number{lagViewOf(i), {"names forgotten", count(i.Events), ""}, {"times all was forgotten", count(i.Clears), ""}}
}

// mainLost reports whether the others wait for a main node that is not there.
func mainLost(c Cluster) bool {
	lives := slices.ContainsFunc(c.Members, func(m Member) bool { return m.ID == c.Main })
	return c.Isolation == "static" && c.Contact && c.Main != "" && !lives
}

type memberView struct {
	Member
	Main                              bool
	Level                             Level
	URL, RolesText, ShareText         string
	WaitingText, LagText, Up          string
	ShortRules                        string
	ShareMark, RulesMark, VersionMark string // "warn" where somebody should look
}

// memberViews mark what differs from the node that answers: one of the two is behind.
func memberViews(c Cluster, now time.Time) []memberView {
	var own Member
	for _, m := range c.Members {
		if m.Self {
			own = m
		}
	}
	var all []memberView
	for _, m := range c.Members {
		v := memberViewOf(m, now)
		v.Main = m.ID == c.Main
		if own.ID != "" {
			v.RulesMark = markIf(m.Rules != own.Rules || m.RulesVersion != own.RulesVersion, "warn")
			v.VersionMark = markIf(m.Version != own.Version, "warn")
		}
		all = append(all, v)
	}
	return all
}

func memberViewOf(m Member, now time.Time) memberView {
	v := memberView{
		Member: m, Level: levelOf(m.State), RolesText: Visible(strings.Join(m.Roles, ", ")), WaitingText: count(m.Waiting),
		LagText: "-", ShareText: shareText(m), ShareMark: markIf(m.Share < 1, "warn"),
		ShortRules: short(m.Rules),
	}
	if m.Lag > 0 {
		v.LagText = span(m.Lag)
	}
	if !m.Started.IsZero() {
		v.Up = span(now.Sub(m.Started).Truncate(time.Second))
	}
	if _, _, err := net.SplitHostPort(m.Address); err == nil && !m.Self {
		v.URL = (&url.URL{Scheme: "http", Host: m.Address, Path: "/cluster"}).String()
	}
	return v
}

// shareText is the part of the partitions that a node holds, and whether it gave up some because it is behind.
func shareText(m Member) string {
	text := fmt.Sprintf("%.0f\u202f%%", math.Round(100*m.Part))
	if m.Share < 1 {
		text += fmt.Sprintf(", slowed to %.0f\u202f%%", math.Round(100*m.Share))
	}
	return text
}

// summaryOf counts the members by their state, in the order of a node's life.
func summaryOf(members []Member) string {
	counts := map[State]int{}
	for _, m := range members {
		counts[m.State]++
	}
	var parts []string
	for _, s := range []State{Active, ReadOnly, Recovering, Joining, Draining, Left} {
		if n := counts[s]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, s))
		}
	}
	return strings.Join(parts, ", ")
}

func partitionsText(held []Partition) string {
	busy, hand := 0, 0
	for _, p := range held {
		hand += p.InHand
		if p.InHand > 0 {
			busy++
		}
	}
	if hand == 0 {
		return fmt.Sprintf("%d held, nothing in hand", len(held))
	}
	return fmt.Sprintf("%d held, %d in hand in %d of them", len(held), hand, busy)
}

type originView struct {
	Origin
	NewestText, FollowedText, Note, Mark string
}

func originViewOf(o Origin) originView {
	v := originView{Origin: o, NewestText: count(o.Newest), FollowedText: count(o.Followed), Mark: markIf(o.Followed < o.Newest, "warn")}
	var notes []string
	if o.Open > 0 {
		notes = append(notes, count(o.Open)+" under way")
	}
	if o.Closed {
		notes = append(notes, "closed")
	}
	v.Note = strings.Join(notes, ", ")
	return v
}

// slowLag is from when on following late is worth a colour: in quiet times the others are heard about once a second.
const slowLag = 3 * time.Second

func lagViewOf(i Invalidation) number {
	if i.Lag <= 0 {
		return number{"behind by", "0 s", ""}
	}
	return number{"behind by", span(i.Lag), markIf(i.Lag >= slowLag, "bad")}
}
