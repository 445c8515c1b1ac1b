package posix

import (
	"context"
	"errors"
	"io"
	"io/fs"

	"golang.org/x/sys/unix"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

const copyBuffer = 256 << 10

// staged is a file in tmp.
type staged struct {
	s       *Store
	f       *file
	pipe    *pipe // by Receive
	name    string
	size    int64
	flushed bool
	named   bool // published: the name in tmp is gone
	broken  error
}

// Stage implements storage.Store with a file that nobody may write to later, since what is published
// is never changed, only replaced. It lies in this process's tmp folder, on the file system of the root.
func (s *Store) Stage(ctx context.Context) (storage.Staged, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	t, err := s.stage()
	if err != nil {
		return nil, err // not t: an interface that holds a nil pointer is not nil
	}
	return t, nil
}

func (s *Store) stage() (*staged, error) {
	name := s.boot.name()
	const flags = unix.O_RDWR | unix.O_CREAT | unix.O_EXCL | unix.O_CLOEXEC | unix.O_NOFOLLOW
	fd, err := retryEINTR(func() (int, error) { return unix.Openat(s.boot.tmp, name, flags, 0o444) })
	if err != nil {
		return nil, fail("stage", asset.Key(name), err)
	}
	return &staged{s: s, f: &file{fd: fd}, name: name}, nil
}

func (t *staged) Write(p []byte) (int, error) {
	n, err := t.f.Write(p)
	t.size += int64(n)
	t.flushed = false
	if err != nil {
		t.broken = fail("write", asset.Key(t.name), err)
		return n, t.broken
	}
	return n, nil
}

// ReadFrom lets io.Copy use one large buffer.
func (t *staged) ReadFrom(r io.Reader) (int64, error) {
	return io.CopyBuffer(struct{ io.Writer }{t}, r, make([]byte, copyBuffer))
}

func (t *staged) Size() int64 { return t.size }

func (t *staged) ReadAt(p []byte, off int64) (int, error) { return t.f.ReadAt(p, off) }

// Flush makes the bytes durable. A staging whose write or fsync failed is lost: it never says otherwise later.
func (t *staged) Flush(ctx context.Context) error {
	if t.broken != nil || t.flushed {
		return t.broken
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	err := t.s.sync.file(ctx, t.f)
	switch {
	case err == nil:
		t.flushed = true
	case !errors.Is(err, context.Cause(ctx)):
		t.broken = fail("flush", asset.Key(t.name), err)
		err = t.broken
	}
	return err
}

// Publish implements storage.Staged. What is proven by its key is made durable together with its name, by one commit of the file
// system's journal instead of two. A share's server is asked twice either way.
func (t *staged) Publish(ctx context.Context, key asset.Key, o storage.PutOptions) (storage.Object, error) {
	if t.named {
		return storage.Object{}, fail("publish", key, errors.New("these bytes have a name already"))
	}
	together := o.Proven && !o.Deferred && !t.flushed && t.broken == nil && !t.s.props.Remote
	if !together {
		if err := t.Flush(ctx); err != nil {
			return storage.Object{}, err
		}
	}
	if err := context.Cause(ctx); err != nil {
		return storage.Object{}, fail("publish", key, err)
	}
	if err := t.rename(ctx, key, o); err != nil {
		return storage.Object{}, fail("publish", key, err)
	}
	t.named = true
	if err := t.settle(ctx, key, o, together); err != nil {
		return storage.Object{}, err
	}
	return t.s.statFile(t.f.fd, key)
}

// settle makes a name durable, unless that is left to the caller, and the bytes when they are not.
func (t *staged) settle(ctx context.Context, key asset.Key, o storage.PutOptions, bytes bool) error {
	switch {
	case bytes:
		return fail("publish", key, t.s.sync.names(ctx, t.f.Sync, key))
	case !o.Deferred:
		return t.s.Sync(ctx, key)
	}
	return nil
}

func (t *staged) rename(ctx context.Context, key asset.Key, o storage.PutOptions) error {
	if o.IfVersion != "" {
		release, err := t.s.Exclude(ctx, key)
		if err != nil {
			return err
		}
		defer release()
		if err := t.s.stillIs(ctx, key, o.IfVersion); err != nil {
			return err
		}
	}
	return t.s.atMade(key, func(dir int, base string) error {
		if o.IfAbsent && t.s.props.Remote {
			return t.linkTo(dir, base)
		}
		return t.s.renameAt(t.s.boot.tmp, t.name, dir, base, o.IfAbsent)
	})
}

// linkTo is nameFree for a file that is open. A client of NFS gives one that is removed while it is open by that name another name until it is
// closed; with two names it would be no drop. So it is opened by its new name before the old one is removed.
func (t *staged) linkTo(dir int, base string) error {
	if err := t.s.linkFree(t.s.boot.tmp, t.name, dir, base); err != nil {
		return err
	}
	fd, err := retryEINTR(func() (int, error) { return unix.Openat(dir, base, openFlags, 0) })
	if err == nil {
		t.reopen(fd)
	} // else it was taken already, and its number of names is nobody's business any more
	return t.s.unlinkLinked(t.s.boot.tmp, t.name)
}

// reopen goes on with a descriptor of the same file, if it is that. The bytes are flushed, so closing the one before has nothing to say.
func (t *staged) reopen(fd int) {
	was, err := statFD(t.f.fd)
	now, err2 := statFD(fd)
	if err != nil || err2 != nil || was.Ino != now.Ino || devOf(was) != devOf(now) {
		unix.Close(fd)
		return
	}
	_ = t.f.Close()
	t.f = &file{fd: fd}
}

// Discard closes the file and deletes it unless it got a name.
func (t *staged) Discard() error {
	if t.f == nil {
		return nil
	}
	t.closePipe()
	var err error
	if !t.named {
		err = unix.Unlinkat(t.s.boot.tmp, t.name, 0)
	}
	err = errors.Join(err, t.f.Close())
	t.f, t.named, t.broken = nil, true, fs.ErrClosed
	return err
}

// Put implements storage.Store: stage, publish, and nothing is left behind.
func (s *Store) Put(ctx context.Context, key asset.Key, r io.Reader, o storage.PutOptions) (obj storage.Object, err error) {
	if err := context.Cause(ctx); err != nil {
		return storage.Object{}, fail("put", key, err)
	}
	t, err := s.stage()
	if err != nil {
		return storage.Object{}, err
	}
	defer func() { err = errors.Join(err, t.Discard()) }()
	if _, err := io.Copy(t, storage.Reading(ctx, r)); err != nil {
		return storage.Object{}, fail("put", key, err)
	}
	return t.Publish(ctx, key, o)
}
