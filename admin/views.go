package admin

import (
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"path"
	"slices"
	"strings"
	"time"

	"hotfolderd/asset"
)

// The views hold words and numbers ready to be shown. Names stay as they are: the template makes them visible.

type pageView struct {
	frame
	Live, Why, Metrics         bool
	Folders                    []folderView
	Imports                    []eventView
	HasFailed, CanRetry        bool
	Failed                     []asset.Failure
	FailedMore                 bool
	FailedFault, FailedReading string
}

func (v *pageView) fill(f failedView) {
	v.Failed, v.FailedMore, v.FailedFault = f.shown, f.more, f.fault
	if f.read.IsZero() && v.HasFailed {
		v.FailedReading = "The list is still being read from the store."
	}
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
}

func folderViews(folders []Folder, now time.Time, b Backend) ([]folderView, uint64) {
	var failed uint64
	out := make([]folderView, len(folders))
	for i, f := range folders {
		failed += f.Failed
		if f.Level != OK && f.Level != Bad {
			f.Level = Warn
		}
		v := folderView{Folder: f, CanScan: b.Scan != nil, CanPause: b.Pause != nil}
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
		v := eventView{Event: e, ID: eventID(e), What: string(e.Key), Kind: kindOf(e), Picture: strings.HasPrefix(e.Type, "image/")}
		if e.Thumbs != nil {
			v.NoThumb = e.Thumbs.Error
		}
		if e.Name != "" {
			v.What, v.URL = string(e.Name), assetURL(e.Name)
		}
		if e.Thumbs != nil && len(e.Thumbs.Sizes) > 0 && !e.Hash.IsZero() {
			v.Thumb = fmt.Sprintf("/v1/thumbnails/%s/%d", e.Hash, bestSize(e.Thumbs.Sizes, defaultThumbnail))
			if e.Thumbs.Format == "jpeg" || e.Thumbs.Format == "png" {
				v.Thumb += "?format=" + e.Thumbs.Format
			}
		}
		out = append(out, v)
	}
	return out
}

// eventID tells one event from the next in the page, so that the script can leave what is there already as it is.
func eventID(e asset.Event) string {
	sum := fnv.New64a()
	fmt.Fprintf(sum, "%q %q %q %s %d", e.Hotfolder, e.Key, e.Drop, e.Result, e.Time.UnixNano())
	return "e" + hex.EncodeToString(sum.Sum(nil))
}

// kindOf is a short word for a tile: the extension if it looks like one, else the kind of the type.
func kindOf(e asset.Event) string {
	ext := strings.TrimPrefix(e.Key.Ext(), ".")
	if ext != "" && len(ext) <= 5 && strings.Trim(ext, "abcdefghijklmnopqrstuvwxyz0123456789") == "" {
		return ext
	}
	if base := path.Base(e.Type); e.Type != "" && len(base) <= 8 {
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
