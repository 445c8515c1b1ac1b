// Package invalidation tells every node of a cluster to forget what it cached of a name that was changed on one of them.
//
// # What it promises
//
//   - A node that has waited for the index of a write reads nothing older than that write ([Log.Wait]).
//   - What one node publishes is applied by every other in that order; nothing is lost without notice: a node that cannot know
//     what it missed forgets everything, and says why.
//   - A write that was begun and never ended, because its node died, is published by another node ([Log.Begin]).
//   - When [Log.Recover] returns, everything published before has been applied.
//
// Clocks of different nodes play no part. A node that hears nothing says so within 3 s ([Log.Fresh]); its caches must be passed
// by then. A cache that is filled while a name is forgotten must notice: it takes a generation before it reads the origin, and
// inserts only if that is still the same.
//
// # How
//
// Each writer has a log of its own: one key in Consul, its head, which holds the newest events, the number of the last one and the
// changes that are under way. It is written by compare-and-swap on what the writer itself wrote last, one write at a time, and
// what comes meanwhile goes with the next. An event is the mark of a name ([asset.Key.Mark]): 8 bytes. Readers watch all heads
// with one blocking query.
//
// The head is held by no session, so it outlives its writer. When a member with that duty finds a log whose writer is not live,
// it publishes the changes under way as events of its own and closes the log. A writer that was only slow meets the closed log
// with its next write, and goes on in a new one, "<instance>~1", with all that is open or not certain.
//
// Events that leave the head are in the store for a while, for readers that were away: <prefix>/<node>/<log>,<first>-<last>. That
// is no part of the promise.
//
// # What it writes
//
// In Consul, below the root: invalidations/<log>, the heads, at most 38 KB each and as a rule 4 KB; invalidations/removed, how many
// logs were removed so far; clients/<instance>, held by the session of a client that only publishes. In the store, below the prefix:
// segments of 8 bytes an event, at most 64 of a log, and <prefix>/<node>/<instance>,isolated: the note that this writer goes on
// without Consul. Old ones are removed by the member with that duty.
//
// # What it does not promise
//
// A writer that is stopped for so long that its log is closed, then goes on, makes its change, and dies before its next write
// to Consul, leaves that change untold. Leases bound that: the change of a stopped writer is to be refused.
package invalidation
