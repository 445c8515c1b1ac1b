// Package hotfolder watches hotfolders and walks each drop from its arrival to its removal.
//
//	door → detect → settle → claim → stage → thumbnails → commit → apply and invalidate → remove
//
// # Parts
//
// A [Room] holds the hotfolders of one node. Each has one goroutine that scans (the truth), takes hints (which only make it look
// sooner) and keeps a bounded queue of what it found. Workers of the room take the oldest drop of each hotfolder in turn, so
// that a full one does not hold up the others, and walk it (walk.go, which reads top to bottom like the line above).
//
// # Promises
//
//   - A drop is taken when it is known, proven or quiet (settle.go), never because of its size.
//   - The drop itself is the work queue: what the room remembers is only a shortcut, and may be forgotten at any moment.
//   - A drop is removed last, only the version that was imported, after its record is durable.
//   - Memory depends on the settings, not on how many files lie in a hotfolder.
//
// # Several nodes
//
// Every node scans every hotfolder, and takes only what [Claims] says is its own; it remembers nothing of the rest, so that a
// scan finds what becomes its own later. What is known only here (settling, files that stay and are done, things that were
// told) is lost when a drop becomes another node's, and is found out again there: a little late, or told once more, never wrong.
// While the work area refuses changes for the moment, drops are held (held.go): not failed, not told, not read again.
//
// It writes nothing itself: bytes go through the work area, thumbnails and the store.
package hotfolder
