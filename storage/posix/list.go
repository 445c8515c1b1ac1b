package posix

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"sync"

	"golang.org/x/sys/unix"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

const (
	direntBuffer = 16 << 10
	maxDepth     = asset.MaxKey/2 + 8 // folders below one another; each open level costs a descriptor and a buffer
	ctxEvery     = 256                // entries between two looks at the context
)

// List implements storage.Store. It reads a folder in pieces of 16 KiB and asks for each entry's attributes by its name in the
// open folder: no path is resolved twice, and memory grows with the depth only.
func (s *Store) List(ctx context.Context, prefix asset.Key, o storage.ListOptions) iter.Seq2[storage.Object, error] {
	return func(yield func(storage.Object, error) bool) {
		if err := context.Cause(ctx); err != nil {
			yield(storage.Object{Key: prefix}, fail("list", prefix, err))
			return
		}
		l := lister{s: s, ctx: ctx, o: o, yield: yield}
		fd, err := s.openDir(prefix)
		if err != nil {
			yield(storage.Object{Key: prefix}, fail("list", prefix, notThere(err)))
			return
		}
		l.folder(fd, prefix, 0)
	}
}

// direntRooms are the buffers of folders that were read.
var direntRooms = sync.Pool{New: func() any { return new([direntBuffer]byte) }}

type lister struct {
	s     *Store
	ctx   context.Context //nolint:containedctx // lives as long as one call of List
	o     storage.ListOptions
	yield func(storage.Object, error) bool
	seen  int
}

// folder yields what is in the open folder and closes it. It reports whether the caller wants more.
func (l *lister) folder(fd int, prefix asset.Key, depth int) bool {
	defer unix.Close(fd)
	if err := l.s.refreshFD(fd); err != nil {
		return l.yield(storage.Object{Key: prefix}, fail("list", prefix, err))
	}
	room := direntRooms.Get().(*[direntBuffer]byte)
	defer direntRooms.Put(room)
	buf := room[:]
	for {
		n, err := retryEINTR(func() (int, error) { return unix.ReadDirent(fd, buf) })
		if err != nil {
			return l.yield(storage.Object{Key: prefix}, fail("list", prefix, err))
		}
		if n <= 0 {
			return true
		}
		for rest := buf[:n]; len(rest) > 0; {
			var e dirent
			e, rest = nextDirent(rest)
			if !l.entry(fd, prefix, e, depth) {
				return false
			}
		}
	}
}

// entry yields one entry and, when it is a folder to be entered, what is in it.
func (l *lister) entry(fd int, prefix asset.Key, e dirent, depth int) bool {
	if l.seen++; l.seen%ctxEvery == 0 {
		if err := context.Cause(l.ctx); err != nil {
			l.yield(storage.Object{Key: prefix}, fail("list", prefix, err))
			return false
		}
	}
	key := prefix.Join(asset.Key(e.name))
	if e.name == "." || e.name == ".." || key == Private || l.hidden(prefix, e.name) {
		return true
	}
	obj, err := l.object(fd, key, e)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return true
	case err != nil:
		return l.yield(storage.Object{Key: key}, fail("list", key, err))
	case !l.yield(obj, nil):
		return false
	case obj.Kind != storage.Directory || !l.o.Recursive || l.o.Enter != nil && !l.o.Enter(key):
		return true
	}
	return l.enter(fd, key, e.name, depth+1)
}

// hidden reports whether an entry is one of a share's own, which are left to their machines; those of this store are its own to remove.
func (l *lister) hidden(prefix asset.Key, base string) bool {
	_, own := prefix.Below(Private)
	return l.s.props.Remote && !own && sillyName(base)
}

func (l *lister) object(fd int, key asset.Key, e dirent) (storage.Object, error) {
	if l.o.NamesOnly && e.kind == unix.DT_REG {
		return storage.Object{Key: key}, nil
	}
	return l.s.statAt(fd, e.name, key)
}

func (l *lister) enter(fd int, key asset.Key, name string, depth int) bool {
	if depth > maxDepth {
		return l.yield(storage.Object{Key: key}, fail("list", key, errors.New("folders lie too deep below one another")))
	}
	sub, err := l.s.openAt(fd, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return true
	case err != nil:
		return l.yield(storage.Object{Key: key}, fail("list", key, err))
	}
	return l.folder(sub, key, depth)
}

type dirent struct {
	name string
	kind byte
}

// nextDirent takes the first entry of the kernel's linux_dirent64 records: inode 8 bytes, offset 8, length 2, type 1, name.
func nextDirent(b []byte) (dirent, []byte) {
	const head = 19
	length := int(b[16]) | int(b[17])<<8
	name := b[head:length]
	for i, c := range name {
		if c == 0 {
			name = name[:i]
			break
		}
	}
	return dirent{name: string(name), kind: b[18]}, b[length:]
}
