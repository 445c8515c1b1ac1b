// Package workarea owns the shared tree below one prefix of a store: the bytes of the assets, the ledger of the imports,
// the catalog of names, the drops that failed, the archive and the journal.
//
//	store.json                        identity of the tree
//	assets/ab/<sha256>                bytes, immutable
//	ledger/ab/<drop id>.json          one record per import: the commit point
//	catalog/<name>.1.json             version 1 of a name
//	catalog/<name>.v/<n>.json         its other versions
//	library/<name>                    readable tree, by rule
//	failed/<hotfolder>/<key>          drops that could not be imported, each with <key>.error.json
//	archive/<hotfolder>/<day>/<key>   drops that were imported and are kept, by rule
//	journal/<day>/<node>-...jsonl     what happened, in batches
//	rules/<n>.json                    published rule sets
//	epochs/<n>                        a number that only grows, for whoever needs one that outlives everything else
//
// # Exactly once
//
// [Area.Stage] reads a drop once, [Area.Commit] gives its bytes and its record their names, [Area.Apply] makes the name
// known. The record is created only if it is absent, and that one conditional write decides: of any number of nodes that
// import the same drop, paused, partitioned or late, one creates it and all others find it. Apply works from the record
// alone and may be repeated by anybody, at any time, in any interleaving, with the same outcome; when it returned without
// an error, the bytes, the record and the name are durable, and the drop may be removed.
//
// # The catalog
//
// A number of a name is given out once and stays taken, so an import finds again what it did before a crash. An entry is
// the ledger's record under a second name (a hard link where the store has them), or one of two marks that this package
// writes itself: "same" for a drop whose bytes were the current version's already (dropping a file twice makes no second
// version), and "replaced" for a version that left by the policy replace. Marks are never shown as versions.
// The catalog can be rebuilt from the ledger ([Area.Rebuild]).
//
// # What may be kept in memory
//
// This package keeps nothing of what it has read. Others may keep what a name stands for: everything that lets other bytes stand
// for a name that exists is told to Options.Changes, before and after, also when it may only have been done by somebody who did
// not come to telling it. That a name is absent must not be kept, by anybody: so the first version of a name, which most imports
// make, is told to nobody.
//
// # What it never does
//
// It deletes no asset and no ledger record, opens nothing outside its prefix but the drops it is handed, and trusts no
// clock for a decision that could lose a drop. Nothing is committed once the context of the commit has ended.
package workarea
