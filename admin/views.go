package admin

import (
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"hotfolderd/asset"
)

// The views hold words and numbers ready to be shown. Names stay as they are: the template makes them visible.

type pageView struct {
	frame
	Why, Metrics bool
	Folders      []folderView
	Imports      []eventView
	failedPart
}

// failedPart is the list of failed drops in a page, or the newest of it.
type failedPart struct {
	Failed  []asset.Failure
	More    bool // there are more than these
	Fault   string
	Reading bool // nothing was read yet
}

func (p *failedPart) take(f failedView, most int) {
	p.Failed, p.Fault, p.Reading = f.shown[:min(most, len(f.shown))], f.fault, f.read.IsZero()
	p.More = f.more || len(f.shown) > most
}

// DropHere is where a newcomer is told to put the first file.
func (v pageView) DropHere() string {
	for _, f := range v.Folders {
		if f.DropHere != "" && !f.Paused {
			return f.DropHere
		}
	}
	return ""
}

type nodeView struct {
	Node
	Level      Level
	Up         string
	StateHint  string
	ShortRules string
}

func nodeViewOf(n Node, now time.Time) nodeView {
	v := nodeView{Node: n, ShortRules: short(n.Rules)}
	if !n.Started.IsZero() {
		v.Up = span(now.Sub(n.Started).Truncate(time.Second))
	}
	v.Level = levelOf(n.State)
	switch n.State {
	case Active:
		v.StateHint = "imports and serves"
	case ReadOnly:
		v.StateHint = "serves what is there, imports nothing"
	case Joining, Recovering:
		v.StateHint = "is catching up and not ready yet"
	case Draining:
		v.StateHint = "finishes what it has, takes nothing new"
	case Left:
		v.StateHint = "has left the cluster"
	}
	return v
}

func levelOf(s State) Level {
	switch s {
	case Active:
		return OK
	case Left:
		return Bad
	}
	return Warn
}

// short is enough of a hash to tell it from the others.
func short(hash string) string { return hash[:min(12, len(hash))] }

type folderView struct {
	Folder
	Busy              string // what is going on, or empty
	RateText, Scanned string
	CanScan, CanPause bool
	URL               string
}

func folderViews(folders []Folder, now time.Time, b Backend) ([]folderView, uint64) {
	var failed uint64
	out := make([]folderView, len(folders))
	for i, f := range folders {
		failed += f.Failed
		if f.Level != OK && f.Level != Bad {
			f.Level = Warn
		}
		v := folderView{Folder: f, URL: "/hotfolders/" + url.PathEscape(f.Name), CanScan: b.Scan != nil, CanPause: b.Pause != nil}
		if f.Rate >= 0.05 {
			v.RateText = fmt.Sprintf("%.1f a second", f.Rate)
		}
		if !f.LastScan.IsZero() {
			v.Scanned = fmt.Sprintf("%s ago, took %s", span(now.Sub(f.LastScan).Truncate(time.Second)), span(f.ScanTook))
		}
		v.Busy = f.busy()
		out[i] = v
	}
	return out, failed
}

func (f Folder) busy() string {
	var parts []string
	if f.Settling > 0 {
		parts = append(parts, count(f.Settling)+" still being written")
	}
	if f.OldestWaiting >= time.Second {
		parts = append(parts, "the oldest waits for "+span(f.OldestWaiting.Truncate(time.Second)))
	}
	return strings.Join(parts, ", ")
}

// Numbers of the card, in the order of the walk.
func (f folderView) Numbers() []number {
	return []number{
		{"waiting", count(f.Waiting), ""},
		{"in flight", count(f.InFlight), ""},
		{"imported", count(f.Imported), ""},
		{"failed", count(f.Failed), markIf(f.Failed > 0, "bad")},
		{"ignored", count(f.Ignored), ""},
	}
}

type number struct{ Word, Value, Mark string }

func markIf(on bool, mark string) string {
	if on {
		return mark
	}
	return ""
}

type eventView struct {
	asset.Event
	ID, URL, Thumb string
	What           string // the name, or the key where there is no name yet
	Kind           string // what stands where there is no thumbnail
	NoThumb        string // why there is none, where one was asked for
	Picture        bool   // so that having none is worth a word
}

// importViews keeps what gave an asset.
func importViews(events []asset.Event, limit int) []eventView {
	kept := slices.DeleteFunc(slices.Clone(events), func(e asset.Event) bool {
		return e.Result != asset.Imported && e.Result != asset.Skipped
	})
	return eventViews(kept[:min(limit, len(kept))])
}

func eventViews(events []asset.Event) []eventView {
	out := make([]eventView, 0, len(events))
	for _, e := range events {
		v := eventView{Event: e, ID: eventID(e), What: string(e.Key), Kind: kindOf(e.Key, e.Type), Picture: strings.HasPrefix(e.Type, "image/")}
		if e.Thumbs != nil {
			v.NoThumb = e.Thumbs.Error
		}
		if e.Name != "" {
			v.What, v.URL = string(e.Name), assetPageURL(e.Name)
		}
		v.Thumb = thumbURL(e.Hash, e.Thumbs, defaultThumbnail)
		out = append(out, v)
	}
	return out
}

// thumbURL is where a thumbnail of about a size is; empty when there is none.
func thumbURL(h asset.Hash, t *asset.Thumbnails, size int) string {
	if t == nil || len(t.Sizes) == 0 || h.IsZero() {
		return ""
	}
	at := fmt.Sprintf("/v1/thumbnails/%s/%d", h, bestSize(size, t.Sizes))
	if slices.Contains(thumbnailFormats, t.Format) {
		at += "?format=" + t.Format
	}
	return at
}

// eventID tells one event from the next in the page, so that the script can leave what is there already as it is.
func eventID(e asset.Event) string {
	sum := fnv.New64a()
	fmt.Fprintf(sum, "%q %q %q %s %d", e.Hotfolder, e.Key, e.Drop, e.Result, e.Time.UnixNano())
	return "e" + hex.EncodeToString(sum.Sum(nil))
}

// kindOf is a short word for a tile: the extension if it looks like one, else the kind of the type.
func kindOf(key asset.Key, mime string) string {
	ext := strings.TrimPrefix(key.Ext(), ".")
	if ext != "" && len(ext) <= 5 && strings.Trim(ext, "abcdefghijklmnopqrstuvwxyz0123456789") == "" {
		return ext
	}
	if base := path.Base(mime); mime != "" && len(base) <= 8 {
		return base
	}
	return "file"
}

type storyView struct {
	frame
	Asked     string
	Hotfolder string
	Key       asset.Key
	Events    []eventView
	More      bool
	Fault     string
}
