// Package local gives out the leases of a node that is alone: a table in memory, and a lock that keeps a second process
// away from the same store.
//
// It promises what package leases promises, without waiting for anything: a lease ends by Release or Close only, with
// cause [leases.ErrReleased] or [leases.ErrClosed], never by itself. Tokens grow over restarts.
//
// It writes two files into the folder that it is given, which is the store's own (.hotfolderd):
//
//   - alone.lock is held by flock(2) as long as the process lives, kill -9 included, and names its pid. It is never deleted.
//   - epoch counts the starts. It is replaced whole and durable before the first lease is given out.
//
// It never guards against a second machine: a store that several nodes share needs a cluster. NFS carries the lock to the
// server, so that there too a second node is refused, as long as the server's lock service works.
package local
