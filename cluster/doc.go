// Package cluster keeps the members of one cluster: who lives, who is gone, and what this node may do because of it.
//
// # What it does
//
// [Join] enters a node under its id and refuses a second live one. [Cluster.Run] keeps the entry in Consul, looks at the
// entries of the others, probes some of them, and tells by [Cluster.Subscribe] when the [View] has changed. The view answers
// the questions of the node: is there contact, may it write ([View.Writable]), may it import ([View.Importing]), how much of
// the work each member takes ([Member.Takes]), which members have other rules ([View.Drift]).
//
// # What it promises
//
//   - At most one live member has an id. Of two that start together exactly one wins.
//   - A member that dies is gone from every view as soon as two others have noticed (a refused connection: about half a
//     second; silence: two seconds), or when its session ends, whichever comes first. One observer alone takes nobody's session
//     unless the cluster has only two members.
//   - A member without contact to Consul for 3 seconds says so in its view, and suspects nobody.
//   - Any order of start and stop leads to the same view.
//   - An idle cluster writes nothing into Consul.
//
// # What it does not promise
//
// A view is what was true a moment ago. Nothing here makes an import safe: that is the ledger's create-if-absent. A member whose
// session was destroyed by mistake loses its leases, makes a new session and goes on.
//
// # What it writes
//
// Below hotfolderd/<namespace>/ in Consul: members/<id>, suspects/<id>/<observer> and clients/<instance> under the sessions of
// those who wrote them; store, epoch and, with isolation: static, main as plain keys. Nothing on the shared store.
//
// A node must answer GET /livez with its instance in the header [InstanceHeader] before it joins, or the others take it for
// dead.
package cluster
