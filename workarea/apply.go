package workarea

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// clockStep is by how much two times of one store's clock may be out of order.
const clockStep = 10 * time.Second

// maxLost ends a walk that goes on losing: that is no contention but a store whose listings do not catch up.
const maxLost = 1000

// errRemoved says that a name was removed just when its next number was taken.
var errRemoved = errors.New("the name was removed meanwhile")

// Apply makes a committed record's name known, by the policy of the record, and everything durable: bytes, record, name.
// It may be repeated by anybody at any time, also side by side, and comes to the same outcome as long as nobody removed
// the name in between. After an error some of it may be done; repeating it does the rest.
//
// A drop whose bytes are the current version's already makes no new version: the outcome then has the current number. With
// the policy skip it counts as skipped. fs.ErrNotExist when the ledger has no such record.
//
// Whenever the outcome has a number above 1 all nodes were told that the name changed, also when all was done before and
// when it is another drop's version with the same bytes: whoever did that may not have come to telling it. When they cannot
// be told, the error wraps [asset.ErrNotNow]; before the name changed, or after.
func (a *Area) Apply(ctx context.Context, rec asset.Record) (asset.Outcome, error) {
	out, err := a.applyTold(ctx, rec, nil)
	if err != nil {
		return asset.Outcome{}, fmt.Errorf("apply %s: %w", rec.Drop, because(ctx, err))
	}
	return out, nil
}

// applyTold is apply with its announcements.
func (a *Area) applyTold(ctx context.Context, rec asset.Record, known drops) (out asset.Outcome, err error) {
	told := changing{a: a}
	defer func() { err = errors.Join(err, told.end(ctx)) }()
	return a.apply(ctx, rec, known, &told)
}

// apply is Apply; the caller ends what it announces. In a rebuild, known are the drops that the catalog has; rec is none of them.
func (a *Area) apply(ctx context.Context, rec asset.Record, known drops, told *changing) (out asset.Outcome, err error) {
	if err := checkRecord(&rec); err != nil {
		return asset.Outcome{}, err
	}
	w := &applying{a: a, rec: rec, known: known, told: told, fresh: a.fresh.take(rec.Drop)}
	if !w.fresh {
		if err := w.findRecord(ctx); err != nil {
			return asset.Outcome{}, err
		}
	}
	w.made = append(w.made, a.AssetKey(rec.Content.Hash), a.ledgerKey(rec.Drop))
	out, err = w.enter(ctx)
	if err == nil && rec.Library && out.Number > 0 {
		err = w.library(ctx, out.Name)
	}
	if err != nil {
		return asset.Outcome{}, err
	}
	if err := a.store.Sync(ctx, w.made...); err != nil {
		return asset.Outcome{}, fmt.Errorf("sync: %w", err)
	}
	return out, nil
}

// applying is one walk of Apply.
type applying struct {
	a      *Area
	rec    asset.Record
	fresh  bool           // this process made the record a moment ago, so it is there
	ledger storage.Object // the record; see findRecord
	known  drops          // they were entered before, and so was every number below theirs
	made   []asset.Key    // what must be durable in the end
	told   *changing
}

// findRecord asks for the record once, when something is to be known of it: mostly nothing is.
func (w *applying) findRecord(ctx context.Context) (err error) {
	if w.ledger.Key == asset.Root {
		w.ledger, err = w.a.store.Stat(ctx, w.a.ledgerKey(w.rec.Drop))
	}
	return err
}

// since is a time before the commit, by the store's clock: a number that was taken earlier is not this drop's, nor is any
// below it.
func (w *applying) since() time.Time { return w.ledger.ModTime.Add(-clockStep) }

// enter finds or makes the record's entry under the name, or under the next one that the policy rename tries.
func (w *applying) enter(ctx context.Context) (asset.Outcome, error) {
	for k := 1; k < maxRenames; k++ {
		name := renamed(w.rec.Name, k)
		if len(name) > asset.MaxKey {
			break
		}
		out, done, err := w.enterAs(ctx, name)
		if err != nil || done {
			return out, err
		}
	}
	return asset.Outcome{}, fmt.Errorf("%s: no name beside it is free", w.rec.Name.Quoted())
}

// enterAs works on one name; done is false when the policy wants the next name. The number that it takes is one above
// what it saw, and taking it fails when anybody was quicker: then it looks again. So of two nodes that apply the same
// record the slower one finds the entry of the other.
func (w *applying) enterAs(ctx context.Context, name asset.Key) (out asset.Outcome, done bool, err error) {
	if out, done, err := w.enterFirst(ctx, name); done || err != nil {
		return out, done, err
	}
	var lost []int // numbers that others were quicker to take; a listing may be late to show them
	for range maxLost {
		v, err := w.look(ctx, name, lost)
		if err != nil {
			return asset.Outcome{}, false, err
		}
		if v.own == 0 {
			var settled bool
			if out, done, settled = w.yields(v); settled {
				return out, done, nil
			}
			if late, err := w.isLate(ctx, v); late || err != nil {
				return asset.Outcome{Name: name, Superseded: late}, true, err
			}
			switch err = w.take(ctx, &v); {
			case errors.Is(err, fs.ErrExist):
				lost = append(lost, v.top+1)
				continue
			case errors.Is(err, errRemoved):
				lost = nil
				continue
			case err != nil:
				return asset.Outcome{}, false, err
			}
		} else if err := w.announce(ctx, v); err != nil {
			return asset.Outcome{}, false, err
		}
		// No number is seen without number 1, which may be another walk's and not durable yet.
		w.made = append(w.made, w.a.entryKey(name, 1), w.a.entryKey(name, v.own))
		if w.rec.Conflict == asset.ConflictReplace && v.ownEntry.Replaced == "" {
			err = w.retire(ctx, v)
		}
		return asset.Outcome{Name: name, Number: v.number()}, true, err
	}
	return asset.Outcome{}, false, fmt.Errorf("%s: others were quicker %d times", name.Quoted(), maxLost)
}

// enterFirst makes version 1 of a name without looking whether there is one, where trying costs no more than looking and the
// drop has certainly no entry yet. done is false when it is to be looked.
func (w *applying) enterFirst(ctx context.Context, name asset.Key) (out asset.Outcome, done bool, err error) {
	if !w.fresh || w.a.store.Properties().Links {
		return out, false, nil
	}
	v := view{name: name}
	err = w.take(ctx, &v)
	if errors.Is(err, fs.ErrExist) {
		return out, false, nil
	}
	w.made = append(w.made, w.a.entryKey(name, v.own))
	return asset.Outcome{Name: name, Number: v.own}, true, err
}

// view is what one look at a name found.
type view struct {
	name     asset.Key
	numbers  []int
	top      int // highest number taken, 0 when none
	topEntry entry
	own      int // number of this drop's entry, 0 when it has none
	ownEntry entry
}

// taken reports whether the name stands for bytes.
func (v *view) taken() bool { return v.top > 0 && v.topEntry.Replaced == "" }

// sameBytes reports whether the name stands for these very bytes.
func (v *view) sameBytes(h asset.Hash) bool { return v.taken() && v.topEntry.Content.Hash == h }

// number is the number of the version that the drop is seen as.
func (v *view) number() int {
	if v.ownEntry.Same > 0 {
		return v.ownEntry.Same
	}
	return v.own
}

// look lists a name and reads its entries from the highest down, until it finds this drop or is past the time of its
// commit. Mostly that is one entry.
func (w *applying) look(ctx context.Context, name asset.Key, lost []int) (view, error) {
	numbers, err := w.a.numbers(ctx, name)
	if err != nil {
		return view{}, err
	}
	numbers = append(numbers, lost...)
	slices.Sort(numbers)
	v := view{name: name, numbers: slices.Compact(numbers)}
	for _, n := range slices.Backward(v.numbers) {
		e, obj, err := w.a.entry(ctx, name, n)
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed meanwhile
		}
		if err != nil {
			return view{}, err
		}
		if v.top == 0 {
			v.top, v.topEntry = n, e
		}
		if e.Drop == w.rec.Drop {
			v.own, v.ownEntry = n, e
			return v, nil
		}
		if err := w.findRecord(ctx); err != nil {
			return view{}, err
		}
		if obj.Changed.Before(w.since()) || w.known.has(e.Drop) {
			return v, nil
		}
	}
	return v, nil
}

// yields decides the policies that give way to a name that is taken; settled is false when an entry is to be made.
func (w *applying) yields(v view) (out asset.Outcome, done, settled bool) {
	if !v.taken() {
		return out, false, false
	}
	out.Name = v.name
	switch same := v.sameBytes(w.rec.Content.Hash); {
	case w.rec.Conflict == asset.ConflictSkip:
		out.Skipped = true
		return out, true, true
	case w.rec.Conflict == asset.ConflictReject && !same:
		out.Rejected = fmt.Sprintf("The name %s is taken by other bytes, and the rule rejects a drop then.", v.name.Quoted())
		return out, true, true
	case w.rec.Conflict == asset.ConflictRename && !same:
		return out, false, true
	}
	return out, false, false
}

// announce tells of the version that the drop is seen as, before it is entered or once more.
func (w *applying) announce(ctx context.Context, v view) error {
	if v.number() == 1 {
		return nil // see changing
	}
	return w.told.begin(ctx, v.name)
}

// take makes the entry one above the highest: the ledger's record under a second name, with a mark where the bytes are the
// current version's. fs.ErrExist when the number was taken meanwhile, errRemoved when the name went.
func (w *applying) take(ctx context.Context, v *view) error {
	v.own, v.ownEntry = v.top+1, entry{Record: w.rec}
	if v.sameBytes(w.rec.Content.Hash) {
		v.ownEntry.Same = cmp.Or(v.topEntry.Same, v.top)
	}
	if err := w.announce(ctx, *v); err != nil {
		return err
	}
	made, err := w.write(ctx, v)
	if err != nil {
		return fmt.Errorf("enter %s: %w", v.name.Quoted(), err)
	}
	return w.stands(ctx, v, made)
}

// write stores the entry: a record without a mark is linked where the store can.
func (w *applying) write(ctx context.Context, v *view) (storage.Object, error) {
	key, o := w.a.entryKey(v.name, v.own), ifAbsent
	o.Brief = v.own == 1 // stands wants no more then
	if v.ownEntry.Same > 0 || !w.a.store.Properties().Links {
		return w.put(ctx, key, v.ownEntry, o)
	}
	if err := w.findRecord(ctx); err != nil {
		return storage.Object{}, err
	}
	o.Shared = true
	return w.a.store.Copy(ctx, w.ledger, key, o)
}

// stands makes sure that the name was not removed before its next number was taken: nobody would see the entry, and the
// next import of the name would bring it back. It is taken away again then.
func (w *applying) stands(ctx context.Context, v *view, made storage.Object) error {
	if v.own == 1 {
		return nil
	}
	_, err := w.a.store.Stat(ctx, w.a.entryKey(v.name, 1))
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	err = w.a.store.Remove(ctx, w.a.entryKey(v.name, v.own), made.Version)
	if err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, storage.ErrChanged) {
		err = errRemoved
	}
	return err
}

func (w *applying) put(ctx context.Context, key asset.Key, e entry, o storage.PutOptions) (storage.Object, error) {
	line, err := encodeLine(e)
	if err != nil {
		return storage.Object{}, err
	}
	return w.a.store.Put(ctx, key, bytes.NewReader(line), o)
}

// retire marks the versions below this drop's as replaced, the oldest first: so below a mark there are only marks, and
// the next drop that replaces stops at the first one it meets.
func (w *applying) retire(ctx context.Context, v view) error {
	var old []int
	var entries []entry
	for _, n := range slices.Backward(v.numbers) {
		if n >= v.number() {
			continue
		}
		e, _, err := w.a.entry(ctx, v.name, n)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return err
		}
		if e.Replaced != "" {
			break
		}
		if e.shown() {
			old, entries = append(old, n), append(entries, e)
		}
	}
	for i, n := range slices.Backward(old) {
		key := w.a.entryKey(v.name, n)
		entries[i].Replaced = w.rec.Drop
		if _, err := w.put(ctx, key, entries[i], storage.PutOptions{Deferred: true, Brief: true}); err != nil {
			return fmt.Errorf("mark %s: %w", key.Quoted(), err)
		}
		w.made = append(w.made, key)
	}
	return nil
}
