package intake

import (
	"context"
	"strings"
	"time"

	"hotfolderd/asset"
	"hotfolderd/storage"
)

// Folder is where the drops of a hotfolder are.
type Folder struct {
	Store storage.Store
	// Prefix is the hotfolder's place in the store.
	Prefix asset.Key
	// Aside is where a door keeps what has no name yet: on the same store, in no hotfolder's sight. Hotfolders may share it.
	Aside asset.Key
	// Folders makes and removes folders, where the store has them; nil where a folder is just a part of a name.
	Folders FolderMaker
	// Rename gives an object below Aside, which nobody else touches, its name in one step; folders above are made when they are
	// missing. With IfAbsent the name must be free, else it replaces what has it. It returns the object under its new name, and need
	// not be durable. nil: the store's Move, of which a crash may leave the object out of sight until the store is opened again.
	Rename func(ctx context.Context, src storage.Object, dst asset.Key, o storage.PutOptions) (storage.Object, error)
	// SetTime sets the modification time of an object below Aside, which nobody else touches. That makes it another version, which is
	// returned. nil: the store keeps no times but its own.
	SetTime func(ctx context.Context, o storage.Object, t time.Time) (storage.Object, error)
	// Streams takes an upload while it comes; nil where the store takes it at its end.
	Streams storage.Streamer
	// Storable tells why the store can hold nothing under a key, of which its Stat says only that nothing is there. nil: it can.
	Storable func(key asset.Key) error
}

// FolderMaker is what a store with real folders can do. Its methods are safe for concurrent use.
type FolderMaker interface {
	// MakeFolder makes the folder and what is missing above it. Idempotent.
	MakeFolder(ctx context.Context, key asset.Key) error
	// RemoveFolder removes a folder if it is empty, and fails otherwise. It never removes a file.
	RemoveFolder(ctx context.Context, key asset.Key) error
	// MoveFolder gives a folder another name, with all that is in it; fs.ErrExist when that is taken.
	MoveFolder(ctx context.Context, from, to asset.Key) error
}

// Name gives an object below Aside its name by Rename or Move.
func (f Folder) Name(ctx context.Context, src storage.Object, dst asset.Key, o storage.PutOptions) (storage.Object, error) {
	o.Deferred = true
	if f.Rename != nil {
		return f.Rename(ctx, src, dst, o)
	}
	return f.Store.Move(ctx, src, dst, o)
}

// reserved begins the names that belong to the stores and to the doors.
const reserved = ".hotfolderd"

// Hidden reports whether a key of the hotfolder belongs to the store or to a door.
func (f Folder) Hidden(key asset.Key) bool {
	full := f.Prefix.Join(key)
	if _, below := full.Below(f.Aside); below || full == f.Aside {
		return true
	}
	for part := range strings.SplitSeq(string(key), "/") {
		if strings.HasPrefix(strings.ToLower(part), reserved) {
			return true
		}
	}
	return false
}
