// Package storagetest holds every store to the text of [storage.Store], and makes stores fail on purpose.
//
//   - [Run] is the suite that each store must pass; [RunPosix] adds what only a tree of files can get wrong: links, pipes,
//     devices, and people who swap things while they are looked at.
//   - [Fault] wraps a store and lets named operations fail, hang, lag, lose their reply or kill the process, counted, so
//     that a test can sweep a fault over each operation of a walk.
//   - [Mem] is a store in memory that can lose power: what was not made durable is gone afterwards.
//
// It writes only into the stores it is given, below keys that begin with "storagetest", and the POSIX part into the
// folder it is given. It is for tests: no part of a running node imports it.
package storagetest
