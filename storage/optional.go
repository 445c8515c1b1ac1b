package storage

import (
	"context"

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
