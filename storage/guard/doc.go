// Package guard keeps a store that does not answer from holding up whoever asks it. A system call on a share whose server is gone hangs
// for as long as the server is away, and nothing can end it.
//
// So each call is made by a goroutine of its own, of which there are a bounded number for each store, and its caller waits for it only
// as long as the store answers to a question as simple as there is. When that question gets no answer in time, the store is silent: all
// callers get [storage.ErrSilent] at once, and so does everyone who comes, until the question that hangs is answered. Calls that
// last long while the store answers (a copy of 100 GB) are left alone.
//
// A call whose caller has left goes on when the store is back, like a request whose reply was lost: it may then do what it was to do.
// What it was to hand over (an open file, a lock) is given back, and what it was working on is closed after it.
package guard
