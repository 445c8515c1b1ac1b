// Package consul keeps leases in Consul, over one session of the node, on a connection that tries several servers in turn. It
// never uses the client library's own lock, which tells its holder of a silent partition minutes too late.
//
// # Parts
//
// A [Conn] is the connection; package cluster shares it. Every request has a deadline of its own and goes to the next address
// when that has passed: a stopped server costs a second or two, not the retransmissions of TCP.
//
// A [Keeper] always has a [Session]: it renews it four times in a TTL and makes a new one when it was lost. The session is bound
// to a node of Consul's catalog that belongs to it alone and has no checks, so that it dies by itself only, and not with a
// server of Consul.
//
// A [Leaser] holds names by that session: one key each, which is gone when nobody holds the name.
//
// # Promises
//
//   - A holder stops before another can have the name, as long as the monotonic clock goes on: a lease ends when the last good
//     renewal was sent longer ago than the TTL less a tenth, and Consul waits for twice the TTL. A machine that was suspended, or
//     a process that was stopped, may be late by a moment. Nothing but time is lost then: safety comes from the ledger.
//   - A session that somebody destroys, and a key that somebody takes away by force, end the lease within about a second.
//   - A lease outlives the loss of any server of Consul, and an election.
//   - Keeping leases writes nothing to Consul's log, and neither does asking for held names. Up to 64 names are one write.
//   - A request that is done although its answer was lost, or long after it was given up, does no harm: what is locked without
//     anybody's knowing is freed in a second or two, and no late request touches a later lease.
//   - Tokens are (epoch, ModifyIndex). LockIndex is of no use: it begins again when a key was deleted.
//
// # What it writes
//
// Below [Root], leases/<name>, held by the session and deleted by it or with it. It reads the key epoch. In the catalog, the
// node hf-<namespace>:<node id>, which stays: there are as many as there are ids.
//
// # Rights
//
// With ACLs on, a token with the policy that [Policy] returns is enough for all that a node does in its namespace, in this
// package and in package cluster, and is refused everything in another. For the namespace default:
//
//	key_prefix "hotfolderd/default/" {
//	  policy = "write"
//	}
//	session_prefix "hf-default:" {
//	  policy = "write"
//	}
//	node_prefix "hf-default:" {
//	  policy = "write"
//	}
package consul
