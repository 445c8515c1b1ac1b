// Package posix is the store on a local folder or a mounted share.
//
// # What it promises
//
// The contract of package storage. Every name is resolved from the root's descriptor, one component after the other, without
// following a symbolic link anywhere (openat2 with RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS, or component by component where
// the kernel has no openat2). That is stricter than os.Root, which follows links that stay inside the root. A file is opened
// only after its kind is known, never blocking, and checked again after opening. Nothing crosses into another file system.
//
// # What it writes
//
// Besides what it is asked for, a folder .hotfolderd below its root, with one folder per process in it: tmp holds bytes that
// have no name yet, aside holds objects that are being removed. What a killed process left there is put back (aside) or
// deleted (tmp) by the next one that opens the store.
//
// # Where a promise has a limit
//
//   - Whether somebody still writes to a file can be seen on a local file system only, and only for files that this process
//     owns or with CAP_LEASE ([storage.Properties].SeesWriters).
//   - After a power cut NFS keeps what the server keeps: an export with "async" keeps less than it says.
//   - A version is inode, size and modification time, and where the file system has it (local ones) the time of birth, which
//     tells a reused inode from the old one.
package posix
