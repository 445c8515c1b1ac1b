// Package storage is the contract between hotfolderd and the trees of objects that all nodes share: a local folder or an
// NFS mount (storage/posix), a bucket (storage/s3).
//
// # What every store promises
//
//   - An object appears under its name whole or not at all, whatever is killed meanwhile.
//   - Put with IfAbsent has exactly one winner, over all processes and nodes.
//   - Remove takes away the version it was given and never a newer one.
//   - What was made durable (Put without Deferred, Sync) outlives a power cut.
//   - A listing is a stream; no store holds a folder in memory.
//
// # What differs
//
// Differences are data, told by [Properties]; nobody asks a store for its type. Errors are fs.ErrNotExist, fs.ErrExist and
// [ErrChanged] where a caller decides by them, else the store's own with the operation and the key.
//
// The suite storagetest holds every store to this text.
package storage
