package posix

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/fsnotify/fsnotify"
	"golang.org/x/sys/unix"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// hintBuffer is how many hints wait for a slow receiver before they become one rescan.
const hintBuffer = 4096

// Watch implements storage.Watcher with fsnotify: one watch per folder. A folder that appears is watched and then named in a
// rescan, since files may have come into it before the watch. The channel is closed early, for the receiver to begin anew,
// when the prefix itself is moved or deleted or a new folder cannot be watched.
func (s *Store) Watch(ctx context.Context, prefix asset.Key, o storage.WatchOptions) (<-chan storage.Hint, error) {
	if s.props.Remote && !s.events {
		return s.glance(ctx, prefix, o)
	}
	fw, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fail("watch", prefix, watchLimit(err))
	}
	w := &watch{s: s, fw: fw, prefix: prefix, o: o, dirs: map[asset.Key]struct{}{}, out: make(chan storage.Hint, hintBuffer)}
	if err := w.add(ctx, prefix); err != nil {
		return nil, errors.Join(fail("watch", prefix, watchLimit(err)), fw.Close())
	}
	go w.run(ctx)
	return w.out, nil
}

func watchLimit(err error) error {
	switch {
	case errors.Is(err, unix.ENOSPC):
		return fmt.Errorf("%w: no inotify watch is left; raise fs.inotify.max_user_watches", err)
	case errors.Is(err, unix.EMFILE):
		return fmt.Errorf("%w: no inotify instance is left; raise fs.inotify.max_user_instances", err)
	}
	return err
}

type watch struct {
	s      *Store
	fw     *fsnotify.Watcher
	prefix asset.Key
	o      storage.WatchOptions
	dirs   map[asset.Key]struct{} // that are watched
	out    chan storage.Hint
	lost   bool // a hint did not fit; a rescan must follow
}

// add watches a folder and the folders below it.
func (w *watch) add(ctx context.Context, dir asset.Key) error {
	if err := w.addOne(dir); err != nil {
		return err
	}
	opts := storage.ListOptions{Recursive: true, NamesOnly: true, Enter: w.o.Enters}
	for o, err := range w.s.List(ctx, dir, opts) {
		if err != nil {
			return err
		}
		if o.Kind != storage.Directory || !w.o.Enters(o.Key) {
			continue
		}
		if err := w.addOne(o.Key); err != nil && !errors.Is(err, unix.ENOENT) {
			return err
		}
	}
	return nil
}

func (w *watch) addOne(dir asset.Key) error {
	err := w.fw.Add(w.path(dir))
	if err == nil {
		w.dirs[dir] = struct{}{}
	}
	return err
}

// forget ends the watches of a folder that was renamed and of those below it. The kernel's watches go along with a folder: kept,
// they would name things by the old path, and the new one could not be watched.
func (w *watch) forget(moved asset.Key) {
	if _, ok := w.dirs[moved]; !ok {
		return // a file, most likely
	}
	for dir := range w.dirs {
		if _, below := dir.Below(moved); below || dir == moved {
			delete(w.dirs, dir)
			_ = w.fw.Remove(w.path(dir)) // fails only where the watch has ended
		}
	}
}

func (w *watch) path(key asset.Key) string { return filepath.Join(w.s.dir, string(key)) }

func (w *watch) key(path string) asset.Key {
	rest := strings.TrimPrefix(path, w.s.dir)
	return asset.Key(strings.TrimPrefix(rest, "/"))
}

func (w *watch) run(ctx context.Context) {
	defer close(w.out)
	defer w.fw.Close()
	for {
		var retry chan<- storage.Hint
		if w.lost {
			retry = w.out
		}
		select {
		case <-ctx.Done():
			return
		case retry <- storage.Hint{Key: w.prefix, Rescan: true}:
			w.lost = false
		case err, ok := <-w.fw.Errors:
			if !ok {
				return
			}
			_ = err // an overflow, most likely; whatever it is, hints may be missing
			w.lost = true
		case ev, ok := <-w.fw.Events:
			if !ok || !w.event(ctx, ev) {
				return
			}
		}
	}
}

// event passes one event on as a hint. It reports false when watching must begin anew.
func (w *watch) event(ctx context.Context, ev fsnotify.Event) bool {
	key := w.key(ev.Name)
	switch {
	case key == w.prefix && (ev.Has(fsnotify.Remove) || ev.Has(fsnotify.Rename)):
		return false
	case ev.Has(fsnotify.Rename):
		w.forget(key)
	case ev.Has(fsnotify.Remove):
		delete(w.dirs, key) // its watch ends by itself
	case ev.Has(fsnotify.Create):
		if o, err := w.s.Stat(ctx, key); err == nil && o.Kind == storage.Directory {
			return w.folder(ctx, key)
		}
		w.send(storage.Hint{Key: key, Created: true})
	default:
		w.send(storage.Hint{Key: key})
	}
	return true
}

func (w *watch) folder(ctx context.Context, key asset.Key) bool {
	if key == Private || !w.o.Enters(key) {
		return true
	}
	if err := w.add(ctx, key); err != nil && !errors.Is(err, unix.ENOENT) {
		return false
	}
	w.send(storage.Hint{Key: key, Rescan: true})
	return true
}

func (w *watch) send(h storage.Hint) {
	select {
	case w.out <- h:
	default:
		w.lost = true
	}
}
