// Package jobs gives batch jobs a place for their files: a folder on the shared store, with an owner, a quota and a lifetime. It
// promises that
//
//   - a job lives for its ttl after its last use, and longer never ends it: a use is a request to any node, a renewal, or a change of
//     anything in its folder, by whomever;
//   - one clock counts, the store's: when a job was used is the time at which the store wrote its note or its files, and now is the
//     time of a note that the sweeper just wrote. No clock of a node or a client plays a part;
//   - a job is ended by one conditional write, so one that is renewed in the moment in which it is to be ended either stays or was
//     told that it is too late. Only then its files go: first out of sight, then for good. Who finds a job half gone finishes;
//   - the bytes of a job stay within its quota, however many nodes write for it: each write takes its bytes from the quota first, in
//     the note. What was written on the share by hand is counted when somebody looks.
//
// # What it writes
//
//	jobs/<id>/...          the files
//	job-notes/<id>.json    who, how long, how much; rewritten by each use, in place of the version that was read
//	job-notes/clock        to know the store's time
//	jobs-ended/<id>/...    files of a job that has ended, on their way out
//
// # What it never does
//
// It removes nothing that has no note, follows no link, and never asks whether a process is alive: a job that computes for longer
// than its ttl without touching its files must renew itself.
package jobs
