package storage

import (
	"context"
	"syscall"

	"hotfolderd/asset"
)

// HoleFinder is implemented by a [Reader] whose store can tell written bytes from never-written ones. A file that was given its
// full size first and is filled afterwards shows itself by its holes.
type HoleFinder interface {
	// Hole returns the offset of the first byte that was never written; found is false when there is none, or when the
	// store cannot tell.
	Hole() (offset int64, found bool)
}

// FolderMaker is implemented by stores in which a folder must be made before people can drop into it.
type FolderMaker interface {
	// MakeFolder makes the folder and what is missing above it. Idempotent.
	MakeFolder(ctx context.Context, key asset.Key) error
}

// WriterFinder is implemented by a [Reader] whose store can see writers: what [Store.Writers] tells, without resolving the key
// again.
type WriterFinder interface {
	// Writers reports whether any process holds the opened file open for writing. known is false when the store cannot tell.
	Writers() (open, known bool)
}

// Excluder is implemented by stores where a look at a key and a change of it are two steps. Who holds a key and who writes it by
// [PutOptions].IfVersion wait for each other, in all processes and on all nodes.
type Excluder interface {
	// Exclude waits for the key until ctx ends. release must be called; the death of the process releases too.
	Exclude(ctx context.Context, key asset.Key) (release func(), err error)
}

// FolderRemover is implemented by stores in which a folder may be there with nothing in it.
type FolderRemover interface {
	// RemoveFolder removes an empty folder, durably. Its error is fs.ErrExist when something is in it, fs.ErrNotExist when there is
	// none; it never removes a file.
	RemoveFolder(ctx context.Context, key asset.Key) error
}

// FolderMover is implemented by stores that have real folders.
type FolderMover interface {
	// MoveFolder gives a folder another name, with all that is in it, durably; fs.ErrExist when that is taken.
	MoveFolder(ctx context.Context, from, to asset.Key) error
}

// TreeRemover is implemented by stores that can take away all below a key at once.
type TreeRemover interface {
	// RemoveTree takes a folder away with all that is in it, whatever that is: links are removed and not followed, what is mounted
	// there is an error. A part is left when ctx ends or something cannot be removed. Nothing there is no error. It is not durable
	// before a Sync of the key.
	RemoveTree(ctx context.Context, key asset.Key) error
}

// Receiver is implemented by a [Staged] that can take the bytes of a connection without their passing through this process. It does so in
// two steps, of which the first waits for the other side of the connection alone, and the second for the store alone.
type Receiver interface {
	// Receive takes up to n bytes of what came on a TCP connection, at least one, waiting for that as long as the connection's read
	// deadline allows; io.EOF at its end. An error of the connection is a [net.OpError]. [errors.ErrUnsupported] when it cannot be
	// done here; then nothing was taken.
	Receive(conn syscall.Conn, n int) (int, error)
	// Append stages what Receive has taken, and must be called before anything else is done with the staging. After an error it is lost.
	Append() error
}
