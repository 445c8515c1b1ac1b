// Package shares decides which partitions this node walks, takes the leases on them, and gives them back when the decision
// changes.
//
// [Assign] is the decision: a pure function of the live importers, so that every node comes to the same one without asking.
// [Shares] carries it out. What is wanted and free is acquired in batches; what is held and not wanted is drained: no new walk
// starts in it, the walks in hand end by themselves, then it is released. So a partition changes hands without two nodes
// walking in it at a time, and a node that dies gives up only its own.
//
// # Names
//
// The drops of a namespace fall into the partitions "p/<i>". A hotfolder that is pinned to nodes (run_on, prefer) leaves them
// and has a set of its own, "p/<hotfolder>/<i>".
//
// # What it costs
//
// A failed acquire is a write in Consul, so nothing is tried that the watch shows as held. While nothing changes, nothing is
// written; the number of drops never matters. A node that joins or leaves costs a few transactions.
//
// # Limits
//
// A lease orders the work and does not make it safe; the ledger does. While the nodes do not agree yet on what is pinned, two of
// them may walk the same drop, one under each set. Decisions use floating point: nodes of different processor kinds may in theory
// (one in 2^50) rank two nodes differently, and would leave that partition alone until the members change.
//
// It knows no drops and no files, and starts nothing by itself: [Shares.Run] is its one loop.
package shares
