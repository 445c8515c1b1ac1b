// Package files is a tree of plain files on the shared store that people and batch jobs read and write, through any node or on the
// mounted share. It promises that
//
//   - a file is written whole or not at all, and durably;
//   - of several writers that want to replace one version exactly one does, whatever nodes they came to ([storage.PutOptions].IfVersion);
//   - the tag of a file changes with its bytes, also when they were changed on the share by hand: it is made of the version and of the
//     time of the last change by the store's own clock, which no writer can set;
//   - whoever keeps something of a file hears of its change before and after, by the file's key in the store ([workarea.Changes]).
//     The first version of a file is told to nobody, since nobody keeps that a file is absent.
//
// What it cannot promise: a program that changes a file in place on the share, in the same moment in which the file is replaced here,
// may lose that change. Files that were written here are read-only on the share, to be replaced and not changed.
//
// It never follows a link, and opens nothing but plain files.
package files
