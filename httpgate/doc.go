// Package httpgate is the door for programs, browsers and mounted folders that drop files by HTTP. What comes through it becomes a
// drop as one whole file, or not at all.
//
// # Three ways in
//
//   - [Gate.Put] takes one file as one stream: all of it, or nothing is stored.
//   - [Gate.Uploads] speaks tus: a file in as many requests as it takes, by any node, since what came lies on the shared store.
//   - [Gate.DAV] is a folder that Explorer and Finder can mount.
//
// # A drop is never replaced
//
// The walk takes drops one after the other, and one that lies there is not overwritten: an upload whose name is taken waits for
// it, and is named later when that takes long ([Drop].Waits). That holds for a folder that is mounted, too.
//
// # What it writes
//
// Below [Folder].Prefix what clients store; below [Folder].Aside the folders pending (complete, without a name yet), uploads (the
// pieces of tus uploads with a note each) and davs (what a mounted folder holds that is no drop).
//
// # What it never does
//
// Give a name to bytes of which it does not know that they are all, follow a link, or leave a hotfolder.
package httpgate
