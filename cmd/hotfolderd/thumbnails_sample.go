package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/spf13/cobra"

	"hotfolderd/admin"
	"hotfolderd/storage"
	"hotfolderd/thumbnails"
	"hotfolderd/workarea"
)

// maxSample bounds how many records are in memory.
const maxSample = 10_000

func (f thumbnailsFlags) checkSample(c *cobra.Command) error {
	switch {
	case f.sample < 0 || f.sample > maxSample:
		return usagef(c, "--sample %d: 1 to %d names, or 0 for all", f.sample, maxSample)
	case f.sample > 0 && f.after != "":
		return usagef(c, "--sample takes any names, and --after goes on at one: with both use --sample 0")
	}
	return nil
}

// some goes through all names, and then does with as many as are asked for what it would do with all.
func (w *thumbnailsWalk) some(ctx context.Context) error {
	do, drawn := w.do, sample{most: w.f.sample}
	w.do = func(_ context.Context, w *thumbnailsWalk, l workarea.Listed, _ thumbnails.Spec) error {
		w.count(func(*walkedThumbnails) { drawn.take(l) })
		return nil
	}
	err := w.run(ctx)
	w.do, w.got = do, walkedThumbnails{Of: drawn.seen}
	if err != nil {
		return err
	}
	return w.page(ctx, drawn.names)
}

// sample holds names of which each that was seen is one with the same chance.
type sample struct {
	most, seen int
	names      []workarea.Listed
}

func (s *sample) take(l workarea.Listed) {
	s.seen++
	if len(s.names) < s.most {
		s.names = append(s.names, l)
	} else if at := rand.IntN(s.seen); at < s.most {
		s.names[at] = l
	}
}

func (a *app) compareThumbnails(ctx context.Context, f thumbnailsFlags) error {
	got, err := a.walkThumbnails(ctx, f, compareThumbnail)
	if err != nil {
		return err
	}
	if got.Of == 0 {
		got.Of = got.Names
	}
	err = a.toldThumbnails(got, "%d of %d name%s with thumbnails: %d missing, %d damaged, %d other than they are made now, %d not rendered\n",
		got.Names, got.Of, plural(got.Of), got.Missing, got.Damaged, got.Differ, got.NotRendered)
	if bad := got.Damaged + got.Differ; err == nil && bad > 0 {
		return fmt.Errorf("%d thumbnail%s damaged or other than they are made now; make them anew with: hotfolderd thumbnails rebuild --all", bad, isAre(bad))
	}
	if err == nil && got.NotRendered > 0 {
		return fmt.Errorf("%d original%s not rendered", got.NotRendered, isAre(got.NotRendered))
	}
	return err
}

func compareThumbnail(ctx context.Context, w *thumbnailsWalk, l workarea.Listed, spec thumbnails.Spec) error {
	c := contentOf(l)
	flaws, err := w.room.Compare(ctx, c, spec, func(ctx context.Context) (storage.Reader, error) { return w.o.area.OpenAsset(ctx, c.Hash) })
	if fault := (*thumbnails.Error)(nil); errors.As(err, &fault) {
		w.count(func(n *walkedThumbnails) { n.NotRendered++ })
		w.say(l.Name, "not rendered: %s", admin.Visible(fault.Reason))
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", show(l.Name), err)
	}
	w.sayFlaws(l.Name, flaws)
	return nil
}
