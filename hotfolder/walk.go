package hotfolder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"time"

	"hotfolderd/asset"
	"hotfolderd/config"
	"hotfolderd/hotfolder/proof"
	"hotfolderd/leases"
	"hotfolderd/storage"
)

// The steps of the walk, as journal, metrics and failures name them.
const (
	stepSettle     = "settle"
	stepClaim      = "claim"
	stepStage      = "stage"
	stepThumbnails = "thumbnails"
	stepCommit     = "commit"
	stepApply      = "apply"
	stepRemove     = "remove"
)

// walk is one attempt to bring one drop from where it is to its end.
type walk struct {
	f     *folder
	c     *candidate
	lease leases.Lease
	p     *progress
	begin time.Time // of the current step
	steps []asset.StepTime

	obj     storage.Object
	drop    asset.Drop
	how     string // settled how
	proven  bool   // by its format alone
	record  asset.Record
	outcome asset.Outcome
}

// Ways to end a walk that are no failure.
var (
	errGone    = errors.New("the drop is gone")
	errChanged = errors.New("the drop changed meanwhile")
	errKept    = errors.New("it stays, and nothing is to be done")
	errNoFile  = errors.New("not a plain file")
)

// waitError ends a walk whose drop is not complete.
type waitError struct{ settled }

func (e *waitError) Error() string { return e.wait }

// run is the walk of design, top to bottom. A crash between any two lines is repaired by walking again: nothing before commit
// can be seen, commit happens once, everything after it may be repeated by anyone, and the drop goes last.
func (w *walk) run(ctx context.Context) error {
	f := w.f

	w.enter(stepSettle)
	src, err := f.store.Open(ctx, f.prefix.Join(w.c.key), "")
	if err != nil {
		return ofSource(err)
	}
	defer src.Close()
	if err := w.look(ctx, src); err != nil {
		return err
	}

	w.enter(stepClaim) // the lease came with the partition, and this look is under it
	if f.rule.After == config.AfterKeep {
		if err := w.keptBefore(ctx); err != nil {
			return err
		}
	}

	w.enter(stepStage)
	content, staged, err := f.r.d.Area.Stage(ctx, beating{src, w.p})
	if err != nil {
		return err
	}
	defer staged.Discard()
	if err := w.sameBytes(ctx, src, staged); err != nil {
		return err
	}
	name, err := w.name(content)
	if err != nil {
		return err
	}

	w.enter(stepThumbnails)
	thumbnails, err := f.r.d.Render.Render(ctx, content, staged, f.rule.Thumbnails)
	if err != nil {
		return err
	}

	w.enter(stepCommit)
	w.record, _, err = f.r.d.Area.Commit(ctx, w.newRecord(name, content, thumbnails), staged)
	if err != nil {
		return err
	}

	w.enter(stepApply) // tells all nodes, too, before and after a name comes to stand for other bytes
	w.outcome, err = f.r.d.Area.Apply(ctx, w.record)
	if err != nil {
		return err
	}

	w.enter(stepRemove)
	if w.outcome.Rejected != "" {
		return &refusal{key: "conflict", why: w.outcome.Rejected}
	}
	if err := w.remove(ctx); err != nil {
		return err
	}
	w.enter("")
	return nil
}

// look decides whether the drop is complete, and as which version. Nothing of it is read before its kind is known.
func (w *walk) look(ctx context.Context, src storage.Reader) error {
	o := src.Object()
	w.obj = o
	if unsafeKind(o.Kind) {
		return errNoFile
	}
	w.c.look(o, time.Now())
	w.drop = asset.Drop{
		Hotfolder: w.f.rule.Hotfolder, Key: w.c.key, Version: o.Version, Size: o.Size, Arrived: o.Changed, Door: asset.DoorShare,
	}
	if door, ok := w.f.knows(w.c, o.Version); ok {
		w.drop.Door = door
	}
	s, err := w.f.settle(ctx, w.c, src)
	switch {
	case err != nil:
		return ofSource(err)
	case s.how == "":
		return &waitError{s}
	}
	w.how, w.proven = s.how, s.proven
	if o.Size == 0 && w.f.rule.Match.Empty == "ignore" {
		return errKept
	}
	return refuse(w.f.rule, o)
}

// keptBefore ends the walk of a drop that stays in its hotfolder and has its record; what the record says is done again, in case
// a crash came between.
func (w *walk) keptBefore(ctx context.Context) error {
	rec, err := w.f.r.d.Area.Record(ctx, w.drop.ID())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		_, err = w.f.r.d.Area.Apply(ctx, rec)
	}
	if err == nil {
		err = errKept
	}
	return err
}

// sameBytes makes sure that what was staged is the whole of one version: nothing changed while it was read, or what is read of a
// version cannot change. Where writers cannot be seen, a proof is made again on the bytes that were really read.
func (w *walk) sameBytes(ctx context.Context, src storage.Reader, staged storage.Staged) error {
	p := w.f.store.Properties()
	if !p.WholeObjects {
		if err := src.Check(ctx); err != nil {
			return ofSource(err)
		}
	}
	if staged.Size() != w.obj.Size {
		return errChanged
	}
	if p.SeesWriters || !w.proven {
		return nil
	}
	e, err := proof.Check(ctx, staged, staged.Size())
	if err == nil && e.Verdict != proof.Complete {
		return errChanged
	}
	return err
}

func (w *walk) name(c asset.Content) (asset.Key, error) {
	name, err := w.f.namer.Name(config.NameData{
		Path: w.c.key, Arrived: w.obj.Changed, Hash: c.Hash, Meta: c.Meta, Hotfolder: w.f.rule.Hotfolder,
	})
	if err != nil {
		return "", &refusal{key: "name", why: fmt.Sprintf("the rule's name cannot be made for it: %v", err)}
	}
	return name, nil
}

func (w *walk) newRecord(name asset.Key, c asset.Content, t *asset.Thumbnails) asset.Record {
	if door, ok := w.f.knows(w.c, w.obj.Version); ok {
		w.drop.Door = door // another node's gate may have said so after the first look
	}
	return asset.Record{
		Drop: w.drop.ID(), Hotfolder: w.drop.Hotfolder, Key: w.drop.Key, Version: w.drop.Version, Door: w.drop.Door,
		Arrived: w.drop.Arrived.UTC(), Name: name, Conflict: w.f.rule.Conflict, Library: w.f.rule.Library, Content: c,
		Thumbnails: t, Node: w.f.r.d.Node, Token: w.lease.Token().String(), Committed: time.Now().UTC(),
	}
}

// remove takes the drop away, as the rule says; only the version that was imported. A drop that changed meanwhile is a new
// drop, and the import of the old version stands.
func (w *walk) remove(ctx context.Context) error {
	var err error
	switch w.f.rule.After {
	case config.AfterKeep:
		return nil
	case config.AfterArchive:
		_, err = w.f.r.d.Area.Archive(ctx, w.f.store, w.obj, w.drop.Hotfolder, w.drop.Key)
	default:
		err = w.f.store.Remove(ctx, w.obj.Key, w.obj.Version)
	}
	if err == nil {
		err = w.removeMarker(ctx)
	}
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, storage.ErrChanged) {
		w.c.again = true
		return nil
	}
	return err
}

// removeMarker takes the drop's own done marker away; one that stands for a whole folder stays.
func (w *walk) removeMarker(ctx context.Context) error {
	marker := w.f.filter.Marker(w.c.key)
	if marker == "" {
		return nil
	}
	if marked, _ := w.f.filter.markedBy(marker); marked != w.c.key {
		return nil
	}
	err := w.f.store.Remove(ctx, w.f.prefix.Join(marker), "")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// enter ends the current step and begins the next. Tests end the process here.
func (w *walk) enter(step string) {
	now := time.Now()
	if last := *w.p.step.Load(); last != "" && !w.begin.IsZero() {
		took := now.Sub(w.begin)
		w.steps = append(w.steps, asset.StepTime{Step: last, Took: took})
		w.f.r.o.Metrics.step(w.f.rule.Hotfolder, last, took)
	}
	w.begin = now
	w.p.enter(step)
	w.f.r.d.Step(step, w.f.rule.Hotfolder, w.c.key)
}

// ofSource tells the drop's own vanishing or changing from trouble elsewhere.
func ofSource(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errGone
	case errors.Is(err, storage.ErrChanged):
		return errChanged
	case errors.Is(err, storage.ErrNotRegular):
		return errNoFile
	}
	return err
}

// ruleName names the rule file and the key in it that decided.
func ruleName(r config.Rule, key string) string {
	name := r.File
	if name == "" {
		name = "built-in rule " + strconv.Quote(r.Hotfolder)
	}
	if key != "" {
		name += ": " + key
	}
	return name
}
