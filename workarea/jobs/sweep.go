package jobs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"go.uber.org/zap"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

const (
	// clockSlack covers stores that tell seconds only.
	clockSlack = time.Second
	// keepEvery is how often this node looks after the jobs that are used here.
	keepEvery = time.Second
	// closeTime bounds what Close waits for.
	closeTime = 10 * time.Second
	// adoptEach of so many sweeps looks for folders that have no note.
	adoptEach = 100
	// idleTime is how long a job's account is remembered after its last use.
	idleTime = time.Minute
)

// Run keeps the jobs that are used here for as long as a use takes, until ctx ends. It returns when all notes are written.
func (j *Jobs) Run(ctx context.Context) {
	tick := time.NewTicker(keepEvery)
	defer tick.Stop()
	defer j.Close()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			j.keep(ctx)
		}
	}
}

// Close lets what is under way be noted, but gives a store that does not answer no more than closeTime. From then on nothing is noted: writes
// of files are refused. Idempotent; Run ends with it.
func (j *Jobs) Close() {
	j.mu.Lock()
	j.closed = true
	j.mu.Unlock()
	defer j.cut()
	defer time.AfterFunc(closeTime, j.cut).Stop()
	j.work.Wait()
}

func (j *Jobs) keep(ctx context.Context) {
	j.mu.Lock()
	all := make([]*account, 0, len(j.accounts))
	for _, a := range j.accounts {
		all = append(all, a)
	}
	j.mu.Unlock()
	for _, a := range all {
		a.mu.Lock()
		used, idle := a.users > 0, time.Since(a.last) > idleTime
		due := used && time.Since(a.fresh) > a.seen.TTL/renewPart && j.o.MayWrite() == nil
		if a.settled != 0 {
			a.write()
		}
		a.mu.Unlock()
		switch {
		case due:
			if _, err := j.Renew(ctx, a.id); err != nil && !errors.Is(err, fs.ErrNotExist) && ctx.Err() == nil {
				j.log.Info("a job in use could not be renewed; it is tried again", zap.String("job", a.id), zap.Error(err))
			}
		case !used && idle:
			j.drop(a.id, a)
		}
	}
}

// Sweep ends the jobs that were not used for their ttl, and takes away the files of those that have ended. One node does it from time to
// time; any may, also side by side. It returns how many jobs it ended. One that cannot be swept does not keep the others.
func (j *Jobs) Sweep(ctx context.Context) (ended int, err error) {
	j.sweeping.Lock()
	defer j.sweeping.Unlock()
	s := sweep{j: j}
	var errs []error
	seen := map[string]Note{}
	for n, err := range j.notes(ctx, j.known) {
		if err == nil {
			seen[n.ID] = n
			err = s.one(ctx, n)
		}
		if err != nil {
			errs = append(errs, err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	j.known = seen
	j.metrics.swept(seen, s.ended)
	if j.sweeps%adoptEach == 0 {
		errs = append(errs, j.adopt(ctx))
	}
	j.sweeps++
	return s.ended, errors.Join(errs...)
}

type sweep struct {
	j     *Jobs
	now   time.Time // by the store's clock; zero: not asked yet
	ended int
}

func (s *sweep) one(ctx context.Context, n Note) (err error) {
	if s.now.IsZero() {
		if s.now, err = s.j.storeTime(ctx); err != nil {
			return err
		}
	}
	if n.Ended {
		return s.j.remove(ctx, n)
	}
	alive := s.now.Add(-n.TTL - clockSlack)
	if n.changed.After(alive) {
		return nil
	}
	used, err := s.j.changedSince(ctx, s.j.Folder(n.ID), alive, true)
	if err != nil || used {
		return err
	}
	n.Ended, n.Looked = true, s.now
	n, err = s.j.write(ctx, n)
	if errors.Is(err, storage.ErrChanged) {
		return nil // it was used just now
	}
	if err != nil {
		return err
	}
	s.ended++
	s.j.log.Info("a job has expired", zap.String("job", n.ID), zap.String("owner", n.Owner), zap.Duration("ttl", n.TTL))
	return s.j.remove(ctx, n)
}

// storeTime is the time by the store's clock, which it tells of what it just wrote.
func (j *Jobs) storeTime(ctx context.Context) (time.Time, error) {
	o, err := j.store.Put(ctx, j.at("job-notes").Join("clock"), bytes.NewReader([]byte(j.o.Instance)), storage.PutOptions{Deferred: true})
	if err != nil {
		return time.Time{}, fmt.Errorf("ask the store for its time: %w", err)
	}
	return o.Changed, nil
}

// changedSince reports whether anything in a folder was changed after a time, or its list of names. self says whether the folder's own
// counts.
func (j *Jobs) changedSince(ctx context.Context, folder asset.Key, since time.Time, self bool) (bool, error) {
	if o, err := j.store.Stat(ctx, folder); self && err == nil && o.Changed.After(since) {
		return true, nil
	}
	for o, err := range j.store.List(ctx, folder, storage.ListOptions{Recursive: true}) {
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return false, fmt.Errorf("look whether a job is used: %w", err)
		}
		if o.Changed.After(since) {
			return true, nil
		}
	}
	return false, nil
}

// remove takes away what is left of a job that has ended, its note last. One of which somebody changed a file after it was found to be
// unused, and before its files were out of sight, comes back.
func (j *Jobs) remove(ctx context.Context, n Note) error {
	if x, ok := j.store.(storage.Excluder); ok {
		release, err := x.Exclude(ctx, j.endedFolder(n.ID))
		if err != nil {
			return err
		}
		defer release()
	}
	back, err := j.setAside(ctx, n)
	if err == nil && !back {
		err = j.clear(ctx, n)
	}
	if err != nil {
		return fmt.Errorf("take away job %s: %w", n.ID, err)
	}
	return nil
}

// setAside takes the files of a job out of sight, where the store can do that in one step. It reports whether the job came back.
func (j *Jobs) setAside(ctx context.Context, n Note) (back bool, err error) {
	aside := j.endedFolder(n.ID)
	err = j.move(ctx, j.Folder(n.ID), aside)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		aside = j.Folder(n.ID)
	case err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrExist):
		return false, err
	}
	if n.Looked.IsZero() {
		return false, nil // somebody ended it
	}
	used, err := j.changedSince(ctx, aside, n.Looked.Add(-time.Nanosecond), false)
	if err != nil || !used {
		return false, err
	}
	if err := j.move(ctx, aside, j.Folder(n.ID)); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return false, err
	}
	n.Ended, n.Looked = false, time.Time{}
	if _, err := j.write(ctx, n); err != nil && !errors.Is(err, storage.ErrChanged) {
		return false, err
	}
	j.log.Info("a job came back: its files were changed just before they went", zap.String("job", n.ID))
	return true, nil
}

// move renames a folder. errors.ErrUnsupported where the store has none.
func (j *Jobs) move(ctx context.Context, from, to asset.Key) error {
	if m, ok := j.store.(storage.FolderMover); ok {
		return m.MoveFolder(ctx, from, to)
	}
	return errors.ErrUnsupported
}

// clear removes the files, and then the note, unless a node that lives may still write one.
func (j *Jobs) clear(ctx context.Context, n Note) error {
	r, ok := j.store.(storage.TreeRemover)
	if !ok {
		return errors.New("this store cannot remove a tree")
	}
	for _, folder := range []asset.Key{j.endedFolder(n.ID), j.Folder(n.ID)} {
		if err := r.RemoveTree(ctx, folder); err != nil {
			return err
		}
		if err := j.store.Sync(ctx, folder); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	j.bury(&n)
	if n.heldByOthers("") > 0 {
		return nil
	}
	err := j.store.Remove(ctx, j.noteKey(n.ID), n.version)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, storage.ErrChanged) {
		return nil
	}
	return err
}

// adopt gives a note to folders that look like a job's and have none, so that they are swept one day: somebody lost it, or a write was
// late.
func (j *Jobs) adopt(ctx context.Context) error {
	for o, err := range j.store.List(ctx, j.at("jobs"), storage.ListOptions{NamesOnly: true}) {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("list the folders of jobs: %w", err)
		}
		id := o.Key.Base()
		if o.Kind != storage.Directory || !isID(id) {
			continue
		}
		if _, err := j.store.Stat(ctx, j.noteKey(id)); !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		n := Note{ID: id, TTL: max(j.o.Limits.TTL, minTTL), Quota: j.o.Limits.Quota, Node: j.o.Node, Created: time.Now().UTC()}
		if _, err := j.write(ctx, n); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}
