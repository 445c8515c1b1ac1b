// Package node is one running node of hotfolderd: it opens the stores, builds the rooms that its roles ask for, joins them, runs
// them and closes them. It is the only place that knows more than one room.
//
// A node can be embedded: [New] takes everything it needs, nothing is global, and [Node.Run] returns when all that it started
// has ended. Signals, flags and exit codes are the command's business.
//
// It promises that an unmounted or foreign store stops imports within seconds and deletes nothing, that a bad set of rules is
// refused while the old one stays in force, and that stopping finishes what is in hand.
package node
