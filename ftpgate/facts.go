package ftpgate

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"hotfolderd/storage"
)

const (
	factTime  = "20060102150405" // in UTC
	listTime  = "Jan _2 15:04"   // of the last half year
	listYear  = "Jan _2  2006"   // of older things
	listSpan  = 182 * 24 * time.Hour
	listAhead = time.Hour
)

// item is one line of a listing.
type item struct {
	name   string
	folder bool
	size   int64
	time   time.Time
	perm   string // as RFC 3659 writes what may be done with it
	mode   string // as ls writes it
}

// factNames are those of MLST, in the order of FEAT.
var factNames = [...]string{"type", "size", "modify", "perm"}

func allFacts() []string { return slices.Clone(factNames[:]) }

// itemOf describes a thing as the user may use it.
func (s *session) itemOf(p place, o storage.Object, name string) item {
	if o.Kind == storage.Directory {
		e := s.folderItem(name)
		if p.key != "" {
			e.time = o.ModTime
		}
		return e
	}
	u := s.account()
	e := item{name: name, size: o.Size, time: o.ModTime, mode: "-"}
	e.perm = marks(u, MayUpload, "aw") + marks(u, MayDelete, "d") + marks(u, MayRename, "f") + marks(u, MayDownload, "r")
	e.mode += marksOr(u, MayDownload, "r") + marksOr(u, MayUpload, "w") + "-"
	return e.completed()
}

// folderItem describes a folder, of which no more is known.
func (s *session) folderItem(name string) item {
	u := s.account()
	e := item{name: name, folder: true, time: s.since, mode: "d"}
	e.perm = "e" + marks(u, MayUpload, "c") + marks(u, MayDelete, "dp") + marks(u, MayRename, "f") + marks(u, MayList, "l") + marks(u, MayMkdir, "m")
	e.mode += marksOr(u, MayList, "r") + marksOr(u, MayUpload, "w") + "x"
	return e.completed()
}

// completed fills the mode: nobody else is here.
func (e item) completed() item {
	e.mode += "------"
	return e
}

func marks(u *User, p Permission, m string) string {
	if u.May(p) {
		return m
	}
	return ""
}

func marksOr(u *User, p Permission, m string) string {
	if u.May(p) {
		return m
	}
	return "-"
}

// longLine is the line of ls -l, in UTC.
func (e item) longLine(now time.Time) string {
	layout := listTime
	if now.Sub(e.time) > listSpan || e.time.Sub(now) > listAhead {
		layout = listYear
	}
	return fmt.Sprintf("%s 1 ftp ftp %12d %s %s", e.mode, e.size, e.time.UTC().Format(layout), e.name)
}

// factLine is the line of MLSD and MLST with the facts that were asked for.
func (e item) factLine(facts []string) string {
	var b strings.Builder
	for _, f := range facts {
		switch f {
		case "type":
			b.WriteString("type=" + map[bool]string{true: "dir", false: "file"}[e.folder] + ";")
		case "size":
			if !e.folder {
				fmt.Fprintf(&b, "size=%d;", e.size)
			}
		case "modify":
			b.WriteString("modify=" + e.time.UTC().Format(factTime) + ";")
		case "perm":
			b.WriteString("perm=" + e.perm + ";")
		}
	}
	return b.String() + " " + e.name
}
