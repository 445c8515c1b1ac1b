package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hotfolderd/asset"
	"hotfolderd/hotfolder"
	"hotfolderd/storage"
)

const storyDays = 30

// told is the whole story of one file.
type told struct {
	Hotfolder string        `json:"hotfolder"`
	Key       asset.Key     `json:"key"`
	Events    []asset.Event `json:"events"` // oldest first
	Now       now           `json:"now"`
}

// now is how things stand.
type now struct {
	Present bool            `json:"present"`           // something lies in the hotfolder under this name
	Kind    string          `json:"kind,omitempty"`    // what, in words
	Size    int64           `json:"size,omitempty"`    // bytes
	Ignored string          `json:"ignored,omitempty"` // why a file of this name is left alone
	Failed  []asset.Failure `json:"failed"`            // of this key, in failed/
	Asset   *current        `json:"asset,omitempty"`   // what the name of its last import stands for
	Unknown string          `json:"unknown,omitempty"` // why some of this could not be found out
}

// current is a version of a name.
type current struct {
	Name   asset.Key  `json:"name"`
	Number int        `json:"number"`
	Hash   asset.Hash `json:"sha256"`
}

func (a *app) whyCommand() *cobra.Command {
	days := storyDays
	c := a.reading(&cobra.Command{
		Use: "why PATH", Short: "Tell what happened to a file, and why",
		Long: "Tells the story of a dropped file from the journal, and how things stand now. PATH is where it was dropped (on disk, below\n" +
			"the store, or hotfolder/name), or where it lies in failed/. What is no such path is taken for a name that any hotfolder\n" +
			"may know. The exit code is 3 when nothing is known of it.",
		Args: take(1, 1, "one PATH"),
		RunE: func(c *cobra.Command, args []string) error { return a.why(c, args[0], days) },
	})
	c.Flags().IntVar(&days, "days", storyDays, "look back so many `days`; 0 is as far as the journal goes")
	return c
}

func (a *app) why(c *cobra.Command, path string, days int) error {
	if path == "" || days < 0 {
		return usagef(c, "why wants a path, and --days a number of days")
	}
	ctx := c.Context()
	return a.with(ctx, false, func(o *opened) error {
		set, err := o.rules(ctx)
		if err != nil {
			return err
		}
		candidates, away := o.candidates(ctx, set, path)
		known, err := o.tellAll(ctx, candidates, days)
		switch {
		case err != nil:
			return err
		case len(known) > 0:
			a.alsoKnown(known[1:])
			return a.printTold(known[0])
		case away != nil:
			return away
		}
		return a.nothingKnown(path, candidates, days)
	})
}

// alsoKnown says how to ask for the others.
func (a *app) alsoKnown(others []told) {
	for _, t := range others {
		asked := asset.Key(t.Hotfolder).Join(t.Key)
		fmt.Fprintf(a.err, "hotfolderd: hotfolder %s knows it too: hotfolderd why %s\n", show(t.Hotfolder), shellWord(string(asked)))
	}
}

// nothingKnown says where was looked.
func (a *app) nothingKnown(path string, candidates []meant, days int) error {
	if len(candidates) == 0 {
		return notFoundf("%s lies in no hotfolder; give the path of the dropped file, or hotfolder/name", show(path))
	}
	span := "in the whole journal"
	if days > 0 {
		span = fmt.Sprintf("in the journal of the last %d days", days)
	}
	lines := []string{fmt.Sprintf("nothing is known of %s; looked %s, in the hotfolder and in failed/ for:", show(path), span)}
	for _, m := range candidates {
		line := fmt.Sprintf("  %s in hotfolder %s", show(m.key), show(m.place.rule.Hotfolder))
		if why := hotfolder.NewFilter(m.place.rule).Ignored(m.key); why != "" {
			line += " (a file of that name is left alone: " + why + ")"
		}
		lines = append(lines, line)
	}
	return notFoundf("%s", strings.Join(lines, "\n"))
}

// tellAll gathers all that is known, of those candidates of which something is known.
func (o *opened) tellAll(ctx context.Context, candidates []meant, days int) (known []told, err error) {
	var since time.Time
	if days > 0 {
		since = time.Now().AddDate(0, 0, -days)
	}
	stories := map[asset.Key][]asset.Event{} // of all hotfolders: the journal is read once for each name
	failed, noFailed := o.failures(ctx, "")
	for _, m := range candidates {
		if _, read := stories[m.key]; !read {
			if stories[m.key], err = o.story(ctx, m.key, since); err != nil {
				return nil, err
			}
		}
		hotfolder := m.place.rule.Hotfolder
		t := told{Hotfolder: hotfolder, Key: m.key, Events: []asset.Event{}}
		for _, e := range stories[m.key] {
			if e.Hotfolder == hotfolder {
				t.Events = append(t.Events, e)
			}
		}
		t.Now = o.now(ctx, m, t.Events, failed, noFailed)
		if len(t.Events) > 0 || t.Now.Present || len(t.Now.Failed) > 0 {
			known = append(known, t)
		}
	}
	return known, ctx.Err()
}

// story is what the journal knows of a key in all hotfolders.
func (o *opened) story(ctx context.Context, key asset.Key, since time.Time) (events []asset.Event, err error) {
	for e, err := range o.area.Story(ctx, "", key, since) {
		if err != nil {
			return nil, err
		}
		events = append(events, e)
	}
	return events, nil
}

// now looks at the store. What cannot be found out is said, so that the journal's part of the story is told all the same.
func (o *opened) now(ctx context.Context, m meant, events []asset.Event, failed []asset.Failure, noFailed error) now {
	n := now{Ignored: hotfolder.NewFilter(m.place.rule).Ignored(m.key), Failed: []asset.Failure{}}
	errs := []error{noFailed}
	obj, err := m.place.store.Stat(ctx, m.place.prefix.Join(m.key))
	if err == nil {
		n.Present, n.Kind, n.Size = true, obj.Kind.String(), obj.Size
		if n.Ignored == "" && obj.Kind != storage.Regular {
			n.Ignored = obj.Kind.String() + "; only plain files are imported"
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		errs = append(errs, err)
	}
	for _, f := range failed {
		if f.Hotfolder == m.place.rule.Hotfolder && f.Key == m.key {
			n.Failed = append(n.Failed, f)
		}
	}
	n.Asset, err = o.currentOf(ctx, events)
	if err := errors.Join(append(errs, err)...); err != nil {
		n.Unknown = err.Error()
	}
	return n
}

// currentOf is what the name of the last import stands for now; nil when there was none, or the name is gone.
func (o *opened) currentOf(ctx context.Context, events []asset.Event) (*current, error) {
	name := asset.Root
	for _, e := range events {
		if e.Name != asset.Root {
			name = e.Name
		}
	}
	if name == asset.Root {
		return nil, nil
	}
	rec, number, err := o.area.Current(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return &current{name, number, rec.Content.Hash}, err
}
