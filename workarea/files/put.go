package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"time"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// Condition decides whether a write may go on, by what is there: its tag, if there is a file. Its error is given back as it is. It may
// be asked several times.
type Condition func(tag string, there bool) error

// Budget bounds the bytes of a tree. nil is no bound.
type Budget interface {
	// Hold takes bytes (which may be negative) for a write that is about to be made. settle is called once, with whether it was made.
	// The error wraps [storage.ErrFull] when there are none left.
	Hold(ctx context.Context, bytes int64) (settle func(made bool), err error)
	// Most is how many bytes one file can have.
	Most() int64
}

// Tries to write what others write at the same time.
const (
	mostTries  = 200
	fewTries   = 5
	firstPause = 2 * time.Millisecond
	longPause  = 100 * time.Millisecond
)

// Pause waits before try n of writing what others write at the same time: longer each time, up to a tenth of a second or so, and never
// as long as the others. It ends early, with the cause, when ctx does.
func Pause(ctx context.Context, n int) error {
	d := min(firstPause<<min(n, 10), longPause)
	timer := time.NewTimer(d/2 + rand.N(d))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// Put writes all of r, or nothing: an error of r, or of allowed, stores nothing. The condition is asked last when all bytes have come, and
// holds when they get their name. created says that there was no such file.
func (t *Tree) Put(ctx context.Context, path asset.Key, r io.Reader, allowed Condition, budget Budget) (f File, created bool, err error) {
	f, created, err = t.put(ctx, t.Key(path), r, allowed, budget)
	if err != nil {
		return File{}, false, fmt.Errorf("write %s: %w", path.Quoted(), inTheWay(err))
	}
	return f, created, nil
}

func (t *Tree) put(ctx context.Context, key asset.Key, r io.Reader, allowed Condition, budget Budget) (f File, created bool, err error) {
	bytes, err := t.store.Stage(ctx)
	if err != nil {
		return f, false, err
	}
	defer func() { err = errors.Join(err, bytes.Discard()) }()
	if budget != nil {
		r = &bounded{r: r, left: budget.Most()}
	}
	if _, err := io.Copy(bytes, r); err != nil {
		return f, false, err
	}
	if err := bytes.Flush(ctx); err != nil {
		return f, false, err
	}
	for n := 0; ; n++ {
		was, there, err := t.now(ctx, key)
		if err == nil {
			err = allowed(was.Tag, there)
		}
		if err == nil {
			f, err = t.publish(ctx, key, bytes, was, there, budget)
		}
		if err == nil || !lost(err) || n == mostTries {
			return f, !there, err
		}
		if err := Pause(ctx, n); err != nil {
			return f, false, err
		}
	}
}

// lost reports whether another writer was quicker: then it is to be looked again.
func lost(err error) bool { return errors.Is(err, storage.ErrChanged) || isExist(err) }

// isExist leaves out what is no file.
func isExist(err error) bool {
	return errors.Is(err, fs.ErrExist) && !errors.Is(inTheWay(err), storage.ErrNotRegular)
}

// publish gives the bytes their name, in place of what was looked at only.
func (t *Tree) publish(ctx context.Context, key asset.Key, bytes storage.Staged, was File, there bool, budget Budget) (f File, err error) {
	if budget != nil {
		settle, err := budget.Hold(ctx, bytes.Size()-was.Size)
		if err != nil {
			return f, err
		}
		defer func() { settle(f.Tag != "") }()
	}
	err = t.told(ctx, key, there, func() error {
		o, err := bytes.Publish(ctx, key, storage.PutOptions{IfAbsent: !there, IfVersion: was.version})
		if err == nil {
			f = t.file(o)
		}
		return err
	})
	if p := t.store.Properties(); err == nil && p.Remote && !p.Flat {
		// The time of its last change may be that before it got its name.
		if again, err := t.look(ctx, key); err == nil && again.version == f.version {
			f = again
		}
	}
	return f, err
}

// bounded ends a stream that is longer than it may be.
type bounded struct {
	r    io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return n, fmt.Errorf("%w: the file is larger than its quota", storage.ErrFull)
	}
	return n, err
}

// Remove takes a file away. fs.ErrNotExist; [storage.ErrChanged] when somebody writes to it all the time.
func (t *Tree) Remove(ctx context.Context, path asset.Key, allowed Condition, budget Budget) error {
	for n := 0; ; n++ {
		err := t.remove(ctx, t.Key(path), allowed, budget)
		if err == nil {
			return nil
		}
		if !errors.Is(err, storage.ErrChanged) || n == fewTries || Pause(ctx, n+fewTries) != nil {
			return fmt.Errorf("remove %s: %w", path.Quoted(), err)
		}
	}
}

func (t *Tree) remove(ctx context.Context, key asset.Key, allowed Condition, budget Budget) error {
	if x, ok := t.store.(storage.Excluder); ok {
		release, err := x.Exclude(ctx, key)
		if err != nil {
			return err
		}
		defer release()
	}
	was, there, err := t.now(ctx, key)
	if err == nil {
		err = allowed(was.Tag, there)
	}
	if err == nil && !there {
		err = fs.ErrNotExist
	}
	if err != nil {
		return err
	}
	err = t.told(ctx, key, true, func() error {
		err := t.store.Remove(ctx, key, was.version)
		if errors.Is(err, fs.ErrNotExist) {
			err = errors.Join(storage.ErrChanged, err) // another removed it: does the condition hold without it?
		}
		if err != nil {
			return err
		}
		return t.store.Sync(ctx, key)
	})
	if err != nil || budget == nil {
		return err
	}
	settle, err := budget.Hold(ctx, -was.Size)
	if err == nil {
		settle(true)
	}
	return nil // what is left of the budget is counted again
}

// RemoveFolder takes an empty folder away; fs.ErrExist when something is in it.
func (t *Tree) RemoveFolder(ctx context.Context, path asset.Key) error {
	k, ok := t.store.(storage.FolderRemover)
	if !ok {
		return fmt.Errorf("remove folder %s: %w: this store has no folders of their own", path.Quoted(), fs.ErrNotExist)
	}
	if err := k.RemoveFolder(ctx, t.Key(path)); err != nil {
		return fmt.Errorf("remove folder %s: %w", path.Quoted(), folderFault(err))
	}
	return nil
}

func folderFault(err error) error {
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("something is in it: %w", err)
	}
	return inTheWay(err)
}
