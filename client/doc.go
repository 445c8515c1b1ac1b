// Package client lets Go programs read and write the assets of a cluster of nodes, and drop files into its hotfolders, from any machine.
//
// A [Client] is given the address of one node or of several. It asks any of them who the members are, picks one of the right role by
// its weight and load, and stays with it, so that what the program reads often is in that node's memory. When the node drains, gets
// unready, dies, or has not been used for a while, the client moves on.
//
// It promises that
//
//   - a request that fails for a reason of the node is tried at another one, for as long as the options and the context say,
//     after pauses with jitter, and never before a node said it may be (Retry-After);
//   - a [Client.Put] that has to be sent again after its answer was lost is still one version: each carries a word of its own
//     (Idempotency-Key), by which any node finds out that it was done;
//   - a [Client.Drop] is one drop, however often it breaks off, and goes on at another node from what the first had kept;
//   - a [Client.Get] that is cut goes on where it was, at another node, with bytes of the same hash, and the hash is checked at the end;
//   - what this client has written it reads, on every node: it carries the indexes of its writes along (X-Hotfolder-Index).
//
// Errors that a node answers are [*Error]; they wrap fs.ErrNotExist, fs.ErrExist, fs.ErrPermission, [ErrCondition], [ErrNotNow], [ErrReadOnly],
// [ErrFull] and [ErrRequest]. A request that no node has served is an [ErrNoNode].
//
// It starts nothing that outlives a call. It needs nothing of the server but the package asset.
//
// Nodes speak HTTP; where they stand behind a balancer that speaks HTTPS, its address is given as https://host:port, and then only
// that address is asked: the token is not sent in the clear to members that the client was not given.
package client
