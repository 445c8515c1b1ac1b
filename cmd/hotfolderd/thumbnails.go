package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"hotfolderd/admin"
	"hotfolderd/asset"
	"hotfolderd/config"
	"hotfolderd/node"
	"hotfolderd/storage"
	"hotfolderd/thumbnails"
	"hotfolderd/workarea"
)

// pageOfNames is how many names are in memory at a time.
const pageOfNames = 200

// thumbnailsFlags are of both commands.
type thumbnailsFlags struct {
	prefix, after string
	all           bool // make those anew that are there
	anew          bool // render and compare
	sample        int  // so many names; 0 is all
}

func (a *app) thumbnailsCommand() *cobra.Command {
	return group(&cobra.Command{Use: "thumbnails", Short: "Look after the thumbnails of assets"}, a.thumbnailsVerifyCommand(), a.thumbnailsRebuildCommand())
}

// continued says how both are broken off.
const continued = "It holds a page of names in memory, may run beside nodes, and may be broken off: it then says with which --after it goes on."

func (a *app) thumbnailsVerifyCommand() *cobra.Command {
	var f thumbnailsFlags
	c := &cobra.Command{
		Use: "verify [PREFIX]", Short: "Tell which thumbnails are missing, damaged or not of the rule",
		Example: "  hotfolderd thumbnails verify --sample 100",
		Long: "Reads and decodes the thumbnails that were made at import, of all names that begin with PREFIX, and tells which are missing or\n" +
			"damaged. It changes nothing. Missing ones are no fault where thumbnails.cache_size or cache_age lets them go: they are made\n" +
			"again when somebody asks.\n" +
			"With --sample it renders the originals of N names anew, chosen at random, and tells too which thumbnails are not what the rule and this\n" +
			"program make now; that takes as long as importing them.\n" + continued + "\nExit codes: 0 none is damaged or differs, 1 some are.",
		RunE: func(c *cobra.Command, args []string) error {
			f.anew = c.Flags().Changed("sample")
			if err := f.checkSample(c); err != nil {
				return err
			}
			return a.verifyThumbnails(c.Context(), f.with(args))
		},
	}
	c.Flags().IntVar(&f.sample, "sample", 0, "render `N` names anew, any ones, and compare; 0 is all")
	return f.command(a.reading(c))
}

func (a *app) thumbnailsRebuildCommand() *cobra.Command {
	var f thumbnailsFlags
	c := &cobra.Command{
		Use: "rebuild [PREFIX]", Short: "Make thumbnails anew that are missing or damaged",
		Long: "Makes the thumbnails anew that were made at import and are missing or damaged now, of all names that begin with PREFIX. With\n" +
			"--all it makes every one anew; nodes go on showing what they have in memory until cache clear. Sizes and format are those of the\n" +
			"import; all else is what the hotfolder's rule says now.\n" + continued,
		RunE: func(c *cobra.Command, args []string) error { return a.rebuildThumbnails(c.Context(), f.with(args)) },
	}
	c.Flags().BoolVar(&f.all, "all", false, "make those anew too that are there")
	return f.command(a.reading(c))
}

func (f *thumbnailsFlags) command(c *cobra.Command) *cobra.Command {
	c.Args, c.ValidArgsFunction = take(0, 1, "one PREFIX"), cobra.NoFileCompletions
	c.Flags().StringVar(&f.after, "after", "", "go on at a `place` that an earlier call told")
	return c
}

func (f thumbnailsFlags) with(args []string) thumbnailsFlags {
	if len(args) > 0 {
		f.prefix = args[0]
	}
	return f
}

// walkedThumbnails is the result of both commands.
type walkedThumbnails struct {
	Names       int    `json:"names"`        // with thumbnails
	Of          int    `json:"of,omitempty"` // so many names that there are, of which these are a sample
	Missing     int    `json:"missing"`
	Damaged     int    `json:"damaged"`
	Differ      int    `json:"differ"`       // by verify --sample
	Made        int    `json:"made"`         // by rebuild
	NotRendered int    `json:"not_rendered"` // names whose original cannot be rendered any more
	After       string `json:"after,omitempty"`
}

// doThumbnails does something with the thumbnails of one name; several run at a time.
type doThumbnails func(context.Context, *thumbnailsWalk, workarea.Listed, thumbnails.Spec) error

// thumbnailsWalk goes through the names, page by page, and does something with each that has thumbnails.
type thumbnailsWalk struct {
	a    *app
	o    *opened
	room *thumbnails.Room
	f    thumbnailsFlags
	by   map[string]config.Thumbnails // rules of hotfolders
	do   doThumbnails

	mu  sync.Mutex
	got walkedThumbnails
}

func (a *app) walkThumbnails(ctx context.Context, f thumbnailsFlags, do doThumbnails) (got walkedThumbnails, err error) {
	err = a.with(ctx, false, func(o *opened) error {
		room, err := o.thumbnailRoom()
		if err != nil {
			return err
		}
		w := &thumbnailsWalk{a: a, o: o, room: room, f: f, do: do}
		w.got.After = f.after
		if w.by, err = o.thumbnailRules(ctx); err == nil {
			err = w.start(ctx)
		}
		err = errors.Join(err, room.Close())
		got = w.got
		return err
	})
	if err != nil && got.After != "" {
		err = fmt.Errorf("%w\ngo on with: --after %s", err, shellWord(got.After))
	}
	return got, err
}

// thumbnailRules are the rules of the hotfolders that there are.
func (o *opened) thumbnailRules(ctx context.Context) (map[string]config.Thumbnails, error) {
	set, err := o.rules(ctx)
	by := map[string]config.Thumbnails{}
	for _, r := range set {
		by[r.Hotfolder] = r.Thumbnails
	}
	return by, err
}

// thumbnailRoom renders as nodes do: in children that can be killed, and by the programs that are allowed.
func (o *opened) thumbnailRoom() (*thumbnails.Room, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the program's own file: %w", err)
	}
	engine, err := node.ThumbnailEngine(node.Options{Settings: o.settings, Renderer: []string{self, workerCommand}, Programs: []string{self, programCommand}})
	if err != nil {
		return nil, err
	}
	return thumbnails.New(o.store, thumbnails.DefaultPrefix, engine, thumbnails.Options{Limits: node.ThumbnailLimits(o.settings.Import)}), nil
}

func (w *thumbnailsWalk) start(ctx context.Context) error {
	if w.f.sample > 0 {
		return w.some(ctx)
	}
	return w.run(ctx)
}

// run ends at the first fault of the store; the place is that of the page before, which is done whole.
func (w *thumbnailsWalk) run(ctx context.Context) error {
	for {
		page, err := w.o.area.List(ctx, workarea.Query{Prefix: w.f.prefix, Limit: pageOfNames, After: workarea.Position(w.got.After)})
		if err == nil {
			err = errors.Join(page.Err, w.page(ctx, page.Listed))
		}
		if err != nil {
			return err
		}
		if w.got.After = string(page.Next); page.Next == "" {
			return nil
		}
	}
}

func (w *thumbnailsWalk) page(ctx context.Context, all []workarea.Listed) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.NumCPU())
	for _, l := range all {
		t := l.Record.Thumbnails
		if t == nil || len(t.Sizes) == 0 {
			continue
		}
		w.count(func(n *walkedThumbnails) { n.Names++ })
		g.Go(func() error { return w.do(ctx, w, l, w.spec(l.Record)) })
	}
	return g.Wait()
}

// spec is what was made at import, as the rule of the hotfolder says now; without one by the defaults.
func (w *thumbnailsWalk) spec(rec asset.Record) thumbnails.Spec {
	spec := node.ThumbnailSpec(w.by[rec.Hotfolder])
	spec.Sizes, spec.Format = rec.Thumbnails.Sizes, rec.Thumbnails.Format
	return spec
}

// contentOf is an asset as it is rendered; a charset decides nothing.
func contentOf(l workarea.Listed) asset.Content {
	c := l.Record.Content
	c.Type, _, _ = strings.Cut(c.Type, ";")
	return c
}

func (w *thumbnailsWalk) count(add func(*walkedThumbnails)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	add(&w.got)
}

// say writes a line about one name.
func (w *thumbnailsWalk) say(name asset.Key, format string, args ...any) {
	if w.a.json {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.a.printf("%s: "+format+"\n", append([]any{show(name)}, args...)...)
}

func (a *app) verifyThumbnails(ctx context.Context, f thumbnailsFlags) error {
	if f.anew {
		return a.compareThumbnails(ctx, f)
	}
	got, err := a.walkThumbnails(ctx, f, verifyThumbnail)
	if err != nil {
		return err
	}
	if err := a.toldThumbnails(got, "%d name%s with thumbnails: %d missing, %d damaged\n", got.Names, plural(got.Names), got.Missing, got.Damaged); err != nil {
		return err
	}
	if got.Damaged > 0 {
		return fmt.Errorf("%d thumbnail%s damaged; make them anew with: hotfolderd thumbnails rebuild", got.Damaged, isAre(got.Damaged))
	}
	return nil
}

func isAre(n int) string {
	if n == 1 {
		return " is"
	}
	return "s are"
}

func verifyThumbnail(ctx context.Context, w *thumbnailsWalk, l workarea.Listed, spec thumbnails.Spec) error {
	flaws, err := w.room.Inspect(ctx, l.Record.Content.Hash, spec)
	w.sayFlaws(l.Name, flaws)
	return err
}

func (w *thumbnailsWalk) sayFlaws(name asset.Key, flaws []thumbnails.Flaw) {
	for _, f := range flaws {
		switch {
		case f.Missing():
			w.count(func(n *walkedThumbnails) { n.Missing++ })
			w.say(name, "%d pixels: missing", f.Size)
		case f.Differs():
			w.count(func(n *walkedThumbnails) { n.Differ++ })
			w.say(name, "%d pixels: differs: %s", f.Size, f.Reason)
		default:
			w.count(func(n *walkedThumbnails) { n.Damaged++ })
			w.say(name, "%d pixels: damaged: %s", f.Size, admin.Visible(f.Reason))
		}
	}
}

func (a *app) rebuildThumbnails(ctx context.Context, f thumbnailsFlags) error {
	got, err := a.walkThumbnails(ctx, f, rebuildThumbnail)
	if err != nil {
		return err
	}
	return a.toldThumbnails(got, "%d name%s with thumbnails: %d thumbnail%s made\n", got.Names, plural(got.Names), got.Made, plural(got.Made))
}

func rebuildThumbnail(ctx context.Context, w *thumbnailsWalk, l workarea.Listed, spec thumbnails.Spec) error {
	c := contentOf(l)
	n, t, err := w.room.Repair(ctx, c, spec, w.f.all, func(ctx context.Context) (storage.Reader, error) { return w.o.area.OpenAsset(ctx, c.Hash) })
	if err != nil {
		return fmt.Errorf("%s: %w", show(l.Name), err)
	}
	if t.Error != "" {
		w.count(func(n *walkedThumbnails) { n.NotRendered++ })
		w.say(l.Name, "not made: %s", admin.Visible(t.Error))
		return nil
	}
	w.count(func(all *walkedThumbnails) { all.Made += n })
	return nil
}

func (a *app) toldThumbnails(got walkedThumbnails, format string, args ...any) error {
	if a.json {
		return a.printJSON(got)
	}
	a.printf(format, args...)
	return nil
}
