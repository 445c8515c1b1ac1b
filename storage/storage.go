package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"time"

	"hotfolderd/asset"
)

// Errors that callers decide by, beside fs.ErrNotExist and fs.ErrExist.
var (
	// ErrChanged: the key exists, but no longer as the version that was asked for.
	ErrChanged = errors.New("changed meanwhile")
	// ErrNotRegular: a link, pipe, socket, device or directory stands where a file was expected. It was not opened. The
	// error's text says which.
	ErrNotRegular = errors.New("not a regular file")
	// ErrIdentity: the store's identity file is missing or another one's: an unmounted share, a wrong bucket.
	ErrIdentity = errors.New("not the expected store")
	// ErrFull: no space, no inodes or over quota. Nothing was stored; trying again later is right.
	ErrFull = errors.New("the store is full")
	// ErrSilent: the store does not answer, as a share does whose server is gone. What was asked of it may still be done when it is back.
	ErrSilent = errors.New("the store does not answer")
	// ErrNoFolder: not even the folder of the key is there. It is a fs.ErrNotExist.
	ErrNoFolder = fmt.Errorf("no such folder: %w", fs.ErrNotExist)
)

// Properties are the differences between stores. They are found out once, when a store is opened, and do not change.
type Properties struct {
	// URL of the store, without secrets, for people.
	URL string
	// Remote: other machines can write to it unseen by this kernel (NFS, SMB, FUSE, S3), so events cannot be complete
	// and polling is chosen.
	Remote bool
	// Kind names the technology for people: "ext4", "nfs", "s3".
	Kind string
	// SeesWriters: Writers can tell whether any process holds a file open for writing.
	SeesWriters bool
	// WholeObjects: an object is complete as soon as it can be seen (S3), so that nothing needs to settle.
	WholeObjects bool
	// Flat: folders are parts of names only (S3). Stat finds none but the root; List shows those that hold something, also
	// beside an object of the same key.
	Flat bool
	// Links: Copy with Shared is one small step, whatever the size. Without it, putting few bytes again costs less than copying.
	Links bool
	// FolderTimes: Remote, and a folder's time of change tells of names that come and go, whichever machine does it. So watching finds
	// what is new; else it may miss anything.
	FolderTimes bool
	// RemoveRaces: Remove and Move look first and then remove, so that a newer version that comes between the two is lost, or
	// the older one is back.
	RemoveRaces bool
}

// Kind of a thing in a store.
type Kind uint8

// The kinds. As a drop everything but Regular is refused; a store itself opens HardLinked too, since it may share bytes
// between keys ([PutOptions].Shared).
const (
	Regular    Kind = iota // a plain file with one name
	Directory              //
	Link                   // a symbolic link; never followed
	HardLinked             // a plain file with more than one name
	Mount                  // a directory on another file system than its parent; never entered
	Special                // a pipe, socket or device; never opened
	Misnamed               // an object whose name is no usable key; its Key is that name, escaped, and good for nothing but showing it
)

var kindWords = [...]string{
	"a file", "a directory", "a symbolic link", "a file with several hard links", "a mount of another file system",
	"a pipe, socket or device", "an object with a name that no file can have",
}

// String says the kind in words, with its article.
func (k Kind) String() string { return kindWords[k] }

// Object describes one thing in a store at one moment.
type Object struct {
	Key     asset.Key
	Kind    Kind
	Version asset.Version // empty for anything but Regular and HardLinked
	Size    int64         // bytes
	ModTime time.Time     // as the writer set it: for people, never for decisions
	Changed time.Time     // by the store's own clock; no writer can set it (POSIX change time, S3 last-modified)
}

// ListOptions of [Store.List]. The zero value lists the direct children.
type ListOptions struct {
	// Recursive lists everything below, depth first; directories are yielded before their content.
	Recursive bool
	// Enter decides about a directory before it is read; nil enters all. It is not asked for the prefix itself.
	Enter func(asset.Key) bool
	// NamesOnly leaves everything but Key and Kind (Regular or not) unset where the store can save the work.
	NamesOnly bool
	// StartAfter leaves out, where the store is Flat, what is not after this key in the order of bytes; other stores list all.
	// It need not exist. Then a prefix under which nothing is left is no error.
	StartAfter asset.Key
}

// PutOptions of [Store.Put], [Store.Copy] and [Staged.Publish].
type PutOptions struct {
	// IfAbsent fails with fs.ErrExist when the key is taken, atomically over all processes and nodes.
	IfAbsent bool
	// IfVersion fails with [ErrChanged] unless the key has this version at that moment, atomically over all processes and nodes that
	// write by this contract; empty is no condition. For Put and Publish only.
	IfVersion asset.Version
	// Deferred returns when the object can be seen, whole; a Sync of its key makes it durable. The bytes themselves are
	// durable before the name can be seen, so a power cut leaves the object whole or absent either way.
	Deferred bool
	// Proven lets Publish make the name durable together with the bytes instead of after them, which takes half the time: the key
	// tells what the bytes must be, so that whoever finds it can prove them. After a power cut before Publish has returned, what is
	// under the key may be cut. It changes nothing with Deferred.
	Proven bool
	// Shared lets Copy give both keys the same bytes (a hard link) instead of a copy. Only for objects nobody changes.
	Shared bool
	// Brief lets the Object that is answered hold no more than Key and Size, where finding out its version would cost a
	// request.
	Brief bool
}

// Reader reads one version of one object. It is not safe for concurrent use, except ReadAt.
type Reader interface {
	io.Reader
	io.ReaderAt
	io.Closer
	// Object is what was opened.
	Object() Object
	// Check returns nil when the key still leads to the version that was opened and, where the store can see it, no
	// process holds it open for writing; [ErrChanged] or fs.ErrNotExist otherwise.
	Check(ctx context.Context) error
}

// Staged is a stream of bytes on its way into the store, visible to nobody until it is published. It is not safe for
// concurrent use. Discard must be called in the end; after a Publish it does nothing.
type Staged interface {
	io.Writer
	// Size is the number of bytes written.
	Size() int64
	// ReadAt reads what was written: thumbnails are made from it, so that the source is read once.
	io.ReaderAt
	// Flush makes the bytes durable (not their name: they have none). Idempotent; Publish calls it when needed. Several
	// stagings flushed at the same time share the cost.
	Flush(ctx context.Context) error
	// Publish gives the bytes their name: whole, at once, and with IfAbsent exactly once. It can be called again with
	// another key after fs.ErrExist.
	Publish(ctx context.Context, key asset.Key, o PutOptions) (Object, error)
	// Discard forgets the bytes if they were not published. Idempotent.
	Discard() error
}

// Store is one shared tree of objects. All methods are safe for concurrent use and may be repeated after an error; none
// retries by itself. A canceled ctx ends a call soon, but not a system call in progress.
type Store interface {
	// Properties never fails and costs nothing.
	Properties() Properties

	// Stat does not follow links and does not open anything. fs.ErrNotExist when nothing is there; a store that is not Flat says
	// [ErrNoFolder] when the key's folder is not there either.
	Stat(ctx context.Context, key asset.Key) (Object, error)

	// List streams what is below prefix in no particular order. Things that vanish meanwhile are left out; things that
	// appear meanwhile may be. A prefix that does not exist yields fs.ErrNotExist. An unreadable subfolder yields its
	// error, with Object.Key set, and the listing goes on if the caller does.
	List(ctx context.Context, prefix asset.Key, o ListOptions) iter.Seq2[Object, error]

	// Open opens the version v of a file (Regular or HardLinked); "" opens whatever is there. [ErrNotRegular], [ErrChanged],
	// fs.ErrNotExist. It never blocks on a pipe and never follows a link.
	Open(ctx context.Context, key asset.Key, v asset.Version) (Reader, error)

	// Stage begins an object whose name is not known yet.
	Stage(ctx context.Context) (Staged, error)

	// Put stores all of r under key, replacing what is there unless IfAbsent; an error of r stores nothing.
	Put(ctx context.Context, key asset.Key, r io.Reader, o PutOptions) (Object, error)

	// Copy stores the bytes of src, at its version, under dst, by the server, a reflink, copy_file_range or (Shared) a
	// link. [ErrChanged] when src is no longer that version.
	Copy(ctx context.Context, src Object, dst asset.Key, o PutOptions) (Object, error)

	// Sync returns when the names of these keys, made or removed before, are durable. Concurrent calls share the cost.
	Sync(ctx context.Context, keys ...asset.Key) error

	// Remove takes the version v away ("" whatever is there); a newer version stays, with [ErrChanged]. fs.ErrNotExist
	// when nothing is there. Where writers can be seen, a file that is being written counts as changed. The removal is
	// not durable before a Sync: after a power cut the object may be back.
	Remove(ctx context.Context, key asset.Key, v asset.Version) error

	// Move is Copy and Remove in one where the store can: src disappears and dst appears, IfAbsent or not. It is for
	// archives and failed/: a newer version of src stays and gives [ErrChanged].
	Move(ctx context.Context, src Object, dst asset.Key, o PutOptions) (Object, error)

	// Writers reports whether any process holds the version v open for writing. known is false when the store cannot
	// tell; open is then meaningless.
	Writers(ctx context.Context, key asset.Key, v asset.Version) (open, known bool, err error)

	// Space tells the free and total bytes that this process may still use; total 0 when the store has no limit.
	Space(ctx context.Context) (free, total int64, err error)
}

// Hint says that something may have happened at or below a key. Hints are lost, doubled and reordered freely.
type Hint struct {
	// Key that may have changed.
	Key asset.Key
	// Rescan: hints were lost (an overflow, a watch that broke); only a scan of the prefix tells what is there.
	Rescan bool
	// Inside, beside Rescan: names came or went in the folder Key itself; what lies deeper is hinted at by itself.
	Inside bool
	// Created: the name appeared just now, by a create or by a rename into place.
	Created bool
}

// Watcher is implemented by stores that can tell of changes sooner than a scan finds them.
type Watcher interface {
	// Watch sends hints about everything below prefix until ctx ends, then closes the channel. The receiver may be slow:
	// what does not fit becomes one Rescan. An error means that no hint will come (no watches left, not supported); it
	// says what to do.
	Watch(ctx context.Context, prefix asset.Key, o WatchOptions) (<-chan Hint, error)
}

// WatchOptions of [Watcher]. The zero value watches all folders.
type WatchOptions struct {
	// Enter: folders for which it is false are not watched; nil watches all.
	Enter func(asset.Key) bool
	// Rarely is asked again and again where no event comes and the store looks at folders for hints: true while somebody else
	// looks and tells, so that a look now and then is enough. nil is never.
	Rarely func() bool
}

// Enters asks Enter.
func (o WatchOptions) Enters(key asset.Key) bool { return o.Enter == nil || o.Enter(key) }

// Identity names a store for as long as it lives, so that an unmounted share or a wrong bucket is noticed.
type Identity struct {
	ID      string    `json:"id"`
	Created time.Time `json:"created"`
}

// Home says which cluster a store belongs to. The zero Home is none: a node that is alone may work there.
type Home struct {
	Cluster   string    `json:"cluster"`   // id
	Namespace string    `json:"namespace"` // of the cluster, in its Consul
	Node      string    `json:"node"`      // that said so
	Since     time.Time `json:"since"`
}
